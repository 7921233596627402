/** Servers with a durable queue of their own, each of them between the same load and the same sink. */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { openSpoolDesk } from "../../../src/stores/spool/desk.ts";
import { startPostfix } from "../../../test/helpers/postfix.ts";
import { freePort, MissingProgram, start, untilListening } from "./processes.ts";

const HERE = dirname(fileURLToPath(import.meta.url));
const CLI = join(HERE, "../../../src/commands/index.ts");

export interface Queuer {
  readonly name: string;
  readonly port: number;
  /** The process that all others of it come from. */
  readonly pid: number;
  /** Nothing is in the queue. */
  isEmpty(): Promise<boolean>;
  stop(): Promise<void>;
}

export interface Site {
  readonly work: string;
  readonly sinkPort: number;
}

/** consentry with its rules, ledger and queue as they come. @param more lines of its configuration */
export async function startConsentry(
  { work, sinkPort }: Site,
  name: string,
  more: readonly string[] = [],
): Promise<Queuer & { dir: string }> {
  const port = await freePort();
  const dir = mkdtempSync(join(work, "consentry-"));
  return { ...(await serveIn(dir, { port, sinkPort, more })), name, dir };
}

/** @param dir a house that may have a queue already */
export async function serveIn(
  dir: string,
  { port, sinkPort, more = [] }: { port: number; sinkPort: number; more?: readonly string[] },
): Promise<Queuer> {
  const config = join(dir, "consentry.yaml");
  const lines = [
    "hostname: relay.example.net",
    `listeners: [{ door: smtp, listen: "127.0.0.1:${port}" }]`,
    "localDomains: [example.com]",
    `dataDir: ${join(dir, "var")}`,
    `nextHop: { to: "smtp://127.0.0.1:${sinkPort}", mode: queue }`,
    "limits: { connectionsPerIpMax: 1000 }",
    "log: { level: warn, format: json }",
    ...more,
  ];
  writeFileSync(config, `${lines.join("\n")}\n`);
  const running = start(process.execPath, ["--disable-warning=ExperimentalWarning", CLI, "serve", "--config", config]);
  await untilUp(port).catch(async (error: unknown) => {
    await running.stop();
    throw error;
  });
  const desk = openSpoolDesk(join(dir, "var/spool"), 10_000);
  return {
    ...running,
    name: "consentry",
    port,
    async isEmpty() {
      for await (const _ of desk.list({ limit: 1 })) return false;
      return true;
    },
    async stop() {
      await desk.close();
      await running.stop();
    },
  };
}

/** A queue of a million, on a busy machine, may take its time: how long is measured by who asks. */
async function untilUp(port: number): Promise<void> {
  for (let patience = UP_TRIES; ; patience -= 1) {
    try {
      return await untilListening(port);
    } catch (error) {
      if (patience === 0) throw error;
    }
  }
}

/** Of 20 s each. */
const UP_TRIES = 8;

/** Postfix as its packagers ship it but for where mail comes from and goes to. */
export async function startPostfixQueue({ sinkPort }: Site, name: string, tuning: readonly string[]): Promise<Queuer> {
  const postfix = await startPostfix({
    mainCf: [
      `relayhost = [127.0.0.1]:${sinkPort}`,
      "virtual_mailbox_domains =",
      "smtpd_relay_restrictions = permit_mynetworks, reject",
      "smtpd_recipient_restrictions =",
      ...tuning,
    ],
  });
  const queue = join(postfix.directory, "queue");
  return {
    name,
    port: postfix.port,
    pid: Number(readFileSync(join(queue, "pid/master.pid"), "utf8")),
    isEmpty: async () =>
      ["maildrop", "incoming", "active", "deferred"].every((part) => filesIn(join(queue, part)) === 0),
    stop: postfix.stop,
  };
}

const filesIn = (dir: string): number => {
  if (!existsSync(dir)) return 0;
  return readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).length;
};

/**
 * Haraka with its outbound queue, one process for each processor.
 * @throws MissingProgram when HARAKA_DIR does not name a directory in which npm installed it
 */
export async function startHaraka({ work, sinkPort }: Site): Promise<Queuer> {
  const entry = join(process.env.HARAKA_DIR ?? "", "node_modules/Haraka/bin/haraka");
  if (!existsSync(entry)) throw new MissingProgram("Haraka (HARAKA_DIR, in it: npm install Haraka)", "npm");
  const port = await freePort();
  const dir = mkdtempSync(join(work, "haraka-"));
  const config = join(dir, "config");
  for (const part of ["config", "plugins", "queue"]) mkdirSync(join(dir, part));
  const plugin = [
    "exports.register = function () { this.register_hook('rcpt', 'take'); this.register_hook('get_mx', 'way'); };",
    "exports.take = function (next, connection) { connection.relaying = true; next(OK); };",
    `exports.way = function (next) { next(OK, { exchange: '127.0.0.1', port: ${sinkPort}, priority: 0 }); };`,
  ];
  writeFileSync(join(dir, "plugins/bench.js"), plugin.join("\n"));
  copyFileSync(join(dirname(entry), "../config/connection.ini"), join(config, "connection.ini"));
  writeFileSync(join(config, "plugins"), "bench\n");
  writeFileSync(join(config, "smtp.ini"), `listen=127.0.0.1:${port}\nnodes=cpus\n`);
  writeFileSync(join(config, "outbound.ini"), "concurrency_max=100\nlocal_mx_ok=true\n");
  writeFileSync(join(config, "loglevel"), "error\n");
  writeFileSync(join(config, "me"), "haraka.example.net\n");
  const running = start(process.execPath, [entry, "-c", dir]);
  await untilListening(port);
  return {
    ...running,
    name: "Haraka (outbound, nodes=cpus)",
    port,
    isEmpty: async () => filesIn(join(dir, "queue")) === 0,
  };
}
