/**
 * scripts/bench/milter: smtp-source -> Postfix + our milter (every rule enforcing, embedded store, ledger durable) -> smtp-sink,
 * beside Postfix alone, with a do-nothing C milter, with OpenDKIM and with rspamd, on unix and TCP sockets, alternating in one run.
 * One Postfix, one port for each. Ratios count; absolute figures are this machine's today.
 *
 * Mail comes from CLIENT_IP, an address of the world that the script put on the loopback of a network of its own: a filter that
 * trusts 127.0.0.1 (rspamd does) would else leave out checks.
 */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Postfix, startPostfix } from "../../test/helpers/postfix.ts";
import { startDnsServer } from "../lib/dns/server.ts";
import { type Filter, type SocketKind, startConsentry, startNull, startOpendkim, startRspamd } from "./lib/filters.ts";
import { latencies } from "./lib/latency.ts";
import { crowd } from "./lib/milter-crowd.ts";
import { type Contender, milterResults } from "./lib/milter-results.ts";
import { newsletter } from "./lib/newsletter.ts";
import { freePort, MissingProgram } from "./lib/processes.ts";
import { report } from "./lib/report.ts";
import { send, startSink, type Traffic } from "./lib/traffic.ts";

const ROUNDS = Number(process.env.ROUNDS ?? 5);
const MAILS = Number(process.env.MAILS ?? 1000);
const SESSIONS = Number(process.env.SESSIONS ?? 20);
/** One after the other over one connection, a round. */
const TIMED_MAILS = Number(process.env.TIMED_MAILS ?? 100);
const CLIENT_IP = process.env.CLIENT_IP ?? "127.0.0.1";
const DRAIN_MS_MAX = 120_000;

if (process.argv.includes("--help")) {
  console.log("scripts/bench/milter   (environment: ROUNDS, MAILS a round, SESSIONS, TIMED_MAILS, CLIENT_IP)");
  process.exit(0);
}

const work = mkdtempSync(join(tmpdir(), "consentry-bench-"));
chmodSync(work, 0o755);
const people = { sender: "writer@stranger.example", recipient: "reader@example.com" };
const text = newsletter(people.sender, people.recipient);
const file = join(work, "mail");
writeFileSync(file, text);
const traffic: Traffic = { ...people, mails: MAILS, sessions: SESSIONS, bytes: text.length, host: CLIENT_IP, file };
const sink = await startSink();
const dns = await startDnsServer();
const filters: Filter[] = [];
const absent: string[] = [];
let postfix: Postfix | undefined;

async function openPostfix(): Promise<Contender[]> {
  const contenders: Contender[] = [];
  for (const filter of [undefined, ...filters]) {
    contenders.push({
      name: filter ? `Postfix + ${filter.name}` : "Postfix alone",
      port: await freePort(),
      ...(filter && { filter }),
      rates: [],
      times: [],
      cpu: 0,
      mails: 0,
    });
  }
  postfix = await startPostfix({
    mainCf: [
      `relayhost = [127.0.0.1]:${sink.port}`,
      `mynetworks = ${CLIENT_IP}`,
      "virtual_mailbox_domains =",
      "smtpd_relay_restrictions = permit_mynetworks, reject",
      "smtpd_recipient_restrictions =",
      "in_flow_delay = 0",
      "smtp_destination_concurrency_limit = 100",
      "default_process_limit = 200",
      "milter_default_action = tempfail",
    ],
    masterCf: contenders.map(
      ({ port, filter }) =>
        `${CLIENT_IP}:${port} inet n - n - - smtpd -o smtpd_milters=${filter?.address ?? ""} -o syslog_name=bench`,
    ),
  });
  return contenders;
}

/** Waits until everything is delivered, so that one contender's mail is not another's load. */
async function drained(): Promise<void> {
  const queue = join(postfix?.directory ?? "", "queue");
  const endMs = performance.now() + DRAIN_MS_MAX;
  for (;;) {
    const counts = await Promise.all(
      ["incoming", "active", "deferred"].map(async (part) => {
        const entries = await readdir(join(queue, part), { recursive: true, withFileTypes: true });
        return entries.filter((entry) => entry.isFile()).length;
      }),
    );
    if (counts.every((count) => count === 0)) return;
    if (performance.now() > endMs) throw new Error(`${counts} mails are still in Postfix's queue`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function measure(contender: Contender): Promise<void> {
  const before = contender.filter?.cpuSeconds() ?? 0;
  const seconds = await send(contender.port, traffic);
  contender.rates.push(MAILS / seconds);
  contender.cpu += (contender.filter?.cpuSeconds() ?? 0) - before;
  contender.mails += MAILS;
  await drained();
  contender.times.push(...(await latencies({ port: contender.port, host: CLIENT_IP }, TIMED_MAILS, text)));
  await drained();
}

/** Starts a filter over both kinds of socket; one whose program is not here is left out by name. */
async function add(name: string, startOver: (kind: SocketKind) => Promise<Filter>): Promise<void> {
  try {
    for (const kind of ["unix", "tcp"] as const) filters.push(await startOver(kind));
  } catch (error) {
    if (!(error instanceof MissingProgram)) throw error;
    absent.push(`${name} (${error.message})`);
  }
}

try {
  await add("consentry", (kind) => startConsentry(work, kind));
  await add("do-nothing milter", (kind) => startNull(work, kind));
  await add("OpenDKIM", (kind) => startOpendkim(work, kind));
  await add("rspamd", (kind) => startRspamd({ work, kind, dnsPort: dns.port, workers: 4 }));
  const contenders = await openPostfix();
  for (const { port } of contenders) await send(port, { ...traffic, mails: Math.min(MAILS, 300) });
  await drained();
  for (let round = 0; round < ROUNDS; round += 1) {
    // To and fro: who comes later in a minute that grows calmer or busier gains nothing by it.
    for (const contender of round % 2 === 0 ? contenders : contenders.toReversed()) await measure(contender);
    process.stderr.write(`round ${round + 1} of ${ROUNDS}\n`);
  }
  const crowded = await crowd(work);
  console.log(
    `${MAILS} mails of ${text.length} bytes from ${CLIENT_IP} a round, ${SESSIONS} sessions, ${ROUNDS} rounds, medians`,
  );
  report("milter", milterResults(contenders, crowded), absent);
} finally {
  await postfix?.stop();
  for (const filter of filters) await filter.stop();
  await dns.stop();
  await sink.stop();
  rmSync(work, { recursive: true, force: true });
}
