/** What is measured beside what: each a server of its own on a port of its own, in front of the same sink. */
import { mkdtempSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { workersOf } from "../../../src/config/workers.ts";
import { startPostfix } from "../../../test/helpers/postfix.ts";
import { startRspamd } from "./filters.ts";
import { startHaraka } from "./haraka.ts";
import { writeHouse } from "./house.ts";
import { freePort, type Running, start, untilListening } from "./processes.ts";

const HERE = dirname(fileURLToPath(import.meta.url));
const CLI = join(HERE, "../../../src/commands/index.ts");

export interface Contender {
  readonly name: string;
  readonly port: number;
  /** Its first processes; what came of them is found from there. */
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

export interface Ground {
  readonly work: string;
  readonly sinkPort: number;
  /** A DNS server that answers for the senders. */
  readonly dnsAddress: string;
  /** One that knows nothing, for peers that only wait for it. */
  readonly emptyDnsPort: number;
}

export const CORES = availableParallelism();

/** Ours: every rule enforcing, who sent it asked of a warm DNS cache, embedded store, ledger durable, proxy mode. */
export async function ours(ground: Ground, workers: number | "auto"): Promise<Contender> {
  const port = await freePort();
  const dir = mkdtempSync(join(ground.work, "house-"));
  const more = [`workers: ${workers}`, `dns: { servers: ["${ground.dnsAddress}"] }`];
  const config = writeHouse(dir, { port, sinkPort: ground.sinkPort, more });
  const node = ["--disable-warning=ExperimentalWarning"];
  const running = start(process.execPath, [...node, CLI, "serve", "--config", config]);
  await untilListening(port);
  const count = workersOf({ workers });
  return contender(count === 1 ? "consentry, 1 worker" : `consentry, ${count} workers`, port, running);
}

/** smtp-server piping each mail into a kept SMTPConnection, and no rules at all. */
export async function bareStream({ sinkPort }: Ground): Promise<Contender> {
  const port = await freePort();
  const running = start(process.execPath, [join(HERE, "bare-relay.ts"), String(port), "stream", String(sinkPort)]);
  await untilListening(port);
  return contender("bare smtp-server (stream-w1)", port, running);
}

const contender = (name: string, port: number, running: Running): Contender => ({
  name,
  port,
  pids: [running.pid],
  stop: running.stop,
});

const POSTFIX = [
  "mynetworks = 127.0.0.0/8",
  "smtpd_relay_restrictions = permit_mynetworks, reject",
  "smtpd_recipient_restrictions =",
  "virtual_mailbox_domains =",
  "in_flow_delay = 0",
  "smtp_destination_concurrency_limit = 100",
  "default_process_limit = 200",
  "smtpd_client_connection_count_limit = 0",
];

async function postfixOn(port: number, more: readonly string[], smtpd: string) {
  const postfix = await startPostfix({
    mainCf: [...POSTFIX, ...more],
    masterCf: [`127.0.0.1:${port} inet n - n - - smtpd ${smtpd} -o syslog_name=bench`],
  });
  const pid = Number(readFileSync(join(postfix.directory, "queue/pid/master.pid"), "utf8"));
  return { postfix, pid };
}

/** Postfix's before-queue proxy with nothing behind it but the sink: the mail goes through, and is looked at by nobody. */
export async function postfixProxy({ sinkPort }: Ground): Promise<Contender> {
  const port = await freePort();
  const { postfix, pid } = await postfixOn(port, [], `-o smtpd_proxy_filter=127.0.0.1:${sinkPort}`);
  return { name: "Postfix, before-queue proxy", port, pids: [pid], stop: postfix.stop };
}

/** Postfix with its queue, and rspamd as packaged with a scanning worker for each processor, DNS that answers at once. */
export async function postfixRspamd({ work, sinkPort, emptyDnsPort }: Ground): Promise<Contender> {
  const rspamd = await startRspamd({ work, kind: "unix", dnsPort: emptyDnsPort, workers: CORES });
  const port = await freePort();
  const { postfix, pid } = await postfixOn(
    port,
    [`relayhost = [127.0.0.1]:${sinkPort}`],
    `-o smtpd_milters=${rspamd.address}`,
  );
  return {
    name: `Postfix + rspamd (${CORES} workers)`,
    port,
    pids: [pid, rspamd.pid],
    async stop() {
      await postfix.stop();
      await rspamd.stop();
    },
  };
}

export async function haraka({ work, sinkPort }: Ground): Promise<Contender> {
  const running = await startHaraka(work, sinkPort);
  return contender(`Haraka smtp_forward (${CORES} processes)`, running.port, running);
}
