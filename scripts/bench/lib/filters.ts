/** The milters that are measured, each as a program of its own on a socket of its own. */
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { cpuSeconds, freePort, MissingProgram, program, type Running, start } from "./processes.ts";

const HERE = dirname(fileURLToPath(import.meta.url));
const CLI = join(HERE, "../../../src/commands/index.ts");
const START_MS_MAX = 120_000;

export type SocketKind = "unix" | "tcp";

export interface Filter extends Running {
  readonly name: string;
  /** For smtpd_milters. */
  readonly address: string;
  readonly to: { path: string } | { host: string; port: number };
  /** User and system time so far, of all its processes. */
  cpuSeconds(): number;
}

interface Place {
  readonly dir: string;
  readonly kind: SocketKind;
  readonly to: { path: string } | { host: string; port: number };
  readonly address: string;
}

/** A socket to listen on, in a directory of its own that everybody may reach. */
async function placeFor(work: string, name: string, kind: SocketKind): Promise<Place> {
  const dir = join(work, `${name}-${kind}`);
  mkdirSync(dir);
  chmodSync(dir, 0o777);
  if (kind === "unix") {
    const path = join(dir, "sock");
    return { dir, kind, to: { path }, address: `unix:${path}` };
  }
  const port = await freePort();
  return { dir, kind, to: { host: "127.0.0.1", port }, address: `inet:127.0.0.1:${port}` };
}

async function ready(name: string, { kind, to, address }: Place, running: Running): Promise<Filter> {
  const endMs = performance.now() + START_MS_MAX;
  while (!(await answers(to))) {
    if (running.child.exitCode !== null || performance.now() > endMs) {
      await running.stop();
      throw new Error(`${name} did not start`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  // Whoever made the socket, Postfix has to get in.
  if ("path" in to) chmodSync(to.path, 0o666);
  return { ...running, name: `${name}, ${kind}`, address, to, cpuSeconds: () => cpuOfFamily(running.pid) };
}

const answers = (to: Place["to"]): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ ...to, timeout: 1000 });
    const done = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => done(true));
    socket.once("error", () => done(false));
    socket.once("timeout", () => done(false));
  });

function cpuOfFamily(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").map(Number);
  return [pid, ...children.filter((child) => child > 0)].reduce((sum, each) => sum + cpuSeconds(each), 0);
}

/** Ours: every rule enforcing, embedded store, ledger durable. */
export async function startConsentry(
  work: string,
  kind: SocketKind,
  nodeArgs: readonly string[] = [],
): Promise<Filter> {
  const place = await placeFor(work, "consentry", kind);
  const listen = "path" in place.to ? `unix:${place.to.path}` : `${place.to.host}:${place.to.port}`;
  const config = join(place.dir, "consentry.yaml");
  const lines = [
    "hostname: relay.example.net",
    `listeners: [{ door: milter, listen: "${listen}" }]`,
    "localDomains: [example.com]",
    `dataDir: ${join(place.dir, "var")}`,
    "log: { level: warn, format: json }",
  ];
  writeFileSync(config, `${lines.join("\n")}\n`);
  return ready("consentry", place, start(process.execPath, [...nodeArgs, CLI, "serve", "--config", config]));
}

/** Compiled here and now. */
export async function startNull(work: string, kind: SocketKind): Promise<Filter> {
  const binary = join(work, "null-milter");
  if (!existsSync(binary)) {
    const compiler = program("cc", "gcc");
    if (!existsSync("/usr/include/libmilter/mfapi.h")) throw new MissingProgram("libmilter/mfapi.h", "libmilter-dev");
    execFileSync(compiler, ["-O2", "-o", binary, join(HERE, "null-milter.c"), "-lmilter", "-lpthread"]);
  }
  const place = await placeFor(work, "null", kind);
  const socket = "path" in place.to ? `unix:${place.to.path}` : `inet:${place.to.port}@127.0.0.1`;
  return ready("do-nothing milter", place, start(binary, [socket]));
}

/** Verifying; what smtp-source sends has no signature. */
export async function startOpendkim(work: string, kind: SocketKind): Promise<Filter> {
  const place = await placeFor(work, "opendkim", kind);
  const socket = "path" in place.to ? `local:${place.to.path}` : `inet:${place.to.port}@127.0.0.1`;
  const config = join(place.dir, "opendkim.conf");
  writeFileSync(config, `Mode v\nSocket ${socket}\nSyslog no\nBackground no\nUMask 000\n`);
  return ready("OpenDKIM", place, start(program("opendkim", "opendkim"), ["-f", "-x", config]));
}

export interface RspamdOptions {
  readonly work: string;
  readonly kind: SocketKind;
  readonly dnsPort: number;
  readonly workers: number;
}

/** As packaged, but for where it listens: proxy workers that scan themselves, no Redis, DNS from where it is told. */
export async function startRspamd(options: RspamdOptions): Promise<Filter> {
  const { work, kind, dnsPort, workers } = options;
  const place = await placeFor(work, "rspamd", kind);
  const local = join(place.dir, "etc");
  const override = join(local, "override.d");
  mkdirSync(override, { recursive: true });
  mkdirSync(join(local, "local.d"));
  const bind = "path" in place.to ? `${place.to.path} mode=0666` : `127.0.0.1:${place.to.port}`;
  const proxy = [
    `bind_socket = "${bind}";`,
    `count = ${workers};`,
    "milter = yes;",
    "timeout = 120s;",
    'upstream "local" { default = yes; self_scan = yes; }',
  ];
  const files: Record<string, string> = {
    "worker-proxy.inc": proxy.join("\n"),
    "worker-normal.inc": "enabled = false; count = 0;",
    "worker-controller.inc": "enabled = false; count = 0;",
    "options.inc": `dns { nameserver = "127.0.0.1:${dnsPort}"; timeout = 1s; retransmits = 1; }`,
    "logging.inc": 'type = "file"; level = "error";',
  };
  for (const [file, text] of Object.entries(files)) writeFileSync(join(override, file), `${text}\n`);
  for (const dir of ["run", "db", "log"]) {
    mkdirSync(join(place.dir, dir));
    chmodSync(join(place.dir, dir), 0o777);
  }
  const variables = { LOCAL_CONFDIR: local, RUNDIR: "run", DBDIR: "db", LOGDIR: "log" };
  const args = Object.entries(variables).map(
    ([key, value]) => `--var=${key}=${value.startsWith("/") ? value : join(place.dir, value)}`,
  );
  const user = process.getuid?.() === 0 ? ["-u", "_rspamd", "-g", "_rspamd"] : [];
  const running = start(program("rspamd", "rspamd"), ["-f", "-c", "/etc/rspamd/rspamd.conf", ...user, ...args]);
  return ready(`rspamd, ${workers} workers`, place, running);
}
