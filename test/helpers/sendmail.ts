import { type ChildProcess, type ChildProcessWithoutNullStreams, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { connect, createServer, type NetConnectOpts } from "node:net";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Unpacked once for each checkout, out of reach of git and of the system. */
const CACHE = fileURLToPath(new URL("../../node_modules/.cache/sendmail-sasl", import.meta.url));
const BRIDGE = fileURLToPath(new URL("namespace-bridge.ts", import.meta.url));
const HOSTNAME = "sendmail.test";
const START_MS_MAX = 20_000;
const POLL_MS = 20;

export interface SendmailOptions {
  /** `S=` of the filter, in Sendmail's own form: "inet:8893@127.0.0.1" or "unix:/path". Absent: `mc` has it. */
  readonly milter?: string;
  /** SMTP server on 127.0.0.1 that gets every accepted mail. */
  readonly nextPort: number;
  /** Further lines of the m4 configuration. */
  readonly mc?: readonly string[];
  /** A network namespace of its own, see namespace-bridge.ts: it listens on `addresses`, clients may come from `clients` too. */
  readonly network?: {
    readonly addresses: readonly string[];
    readonly clients: readonly string[];
    /** Unix socket of the SMTP server behind `nextPort`. */
    readonly nextSocket: string;
  };
  /** Cyrus SASL: lines of Sendmail.conf. */
  readonly sasl?: readonly string[];
}

export interface Sendmail {
  /** Of its smtpd, on 127.0.0.1. */
  readonly port: number;
  readonly directory: string;
  /** With `network`: the socket that leads in. */
  readonly bridge: string;
  /** Queue ids of mails held in quarantine. */
  quarantined(): Promise<string[]>;
  /** Queue ids of mails on their way. */
  queued(): Promise<string[]>;
  /** Its command, as a user of the same machine calls it. */
  command(...args: readonly string[]): ChildProcessWithoutNullStreams;
  stop(): Promise<void>;
}

/**
 * Can a Sendmail be run here? Its packages conflict with Postfix's, so they are only downloaded and unpacked. That needs
 * apt, and root for the namespaces it starts in.
 */
export async function sendmailIsHere(): Promise<boolean> {
  if (process.getuid?.() !== 0) return false;
  try {
    await run("unshare", ["-u", "-m", "true"]);
    await unpack();
    return true;
  } catch {
    return false;
  }
}

/** A fresh directory in which Sendmail trusts a socket: it refuses those below world-writable ones such as /tmp. */
export async function trustedDirectory(): Promise<string> {
  for (const place of [join(CACHE, ".."), homedir(), "/var/lib"]) {
    if (await nobodyElseWrites(place)) return mkdtemp(join(place, "consentry-socket-"));
  }
  throw new Error("no directory here that Sendmail would trust");
}

/** Neither in it nor in any directory above it. */
async function nobodyElseWrites(place: string): Promise<boolean> {
  const found = await stat(place).catch(() => undefined);
  if (!found?.isDirectory() || (found.mode & 0o022) !== 0) return false;
  return place === "/" || nobodyElseWrites(dirname(place));
}

/** Downloads what an installed Sendmail would bring along, m4 for its configuration included. */
async function unpack(): Promise<void> {
  if (await stat(join(CACHE, "usr")).catch(() => undefined)) return;
  const fresh = await mkdtemp(join(tmpdir(), "sendmail-unpack-"));
  try {
    const packages = [
      "sendmail-bin",
      "sendmail-cf",
      "m4",
      "libsasl2-modules",
      ...(await libraries("sendmail-bin")),
      ...(await libraries("m4")),
    ];
    await run("apt-get", ["download", ...packages], { cwd: fresh });
    const archives = (await readdir(fresh)).filter((name) => name.endsWith(".deb"));
    for (const archive of archives) await run("dpkg", ["-x", archive, "root"], { cwd: fresh });
    // With the set-group-id bit on, it would not load libraries from where we put them.
    await chmod(join(fresh, "root/usr/libexec/sendmail/sendmail"), 0o755);
    await mkdir(join(CACHE, ".."), { recursive: true });
    await run("cp", ["-a", join(fresh, "root"), `${CACHE}.${process.pid}`]);
    await rename(`${CACHE}.${process.pid}`, CACHE).catch(() => rm(`${CACHE}.${process.pid}`, { recursive: true }));
  } finally {
    await rm(fresh, { recursive: true });
  }
}

async function libraries(name: string): Promise<string[]> {
  const { stdout } = await run("apt-cache", ["depends", name]);
  const names = [...stdout.matchAll(/^ +(?:Pre)?Depends: (lib[^\s<]+)$/gm)].map((match) => match[1] ?? "");
  return names.filter((library) => library !== "libc6");
}

/**
 * Starts it in the foreground, with a configuration and queue of its own under a temporary directory, on a free loopback
 * port. In its own namespaces it has a full host name and no DNS server, so that it never waits for either.
 */
export async function startSendmail(options: SendmailOptions): Promise<Sendmail> {
  const directory = await mkdtemp(join(tmpdir(), "sendmail-"));
  const port = await freePort();
  await mkdir(join(directory, "mqueue"), { mode: 0o700 });
  await writeFile(join(directory, "hosts"), `127.0.0.1 ${HOSTNAME} localhost\n`);
  await writeFile(join(directory, "resolv.conf"), "nameserver 127.0.0.1\noptions attempts:1 timeout:1\n");
  await writeFile(join(directory, "switch"), "hosts files\naliases files\n");
  await writeFile(join(directory, "sendmail.cf"), await configuration(directory, port, options));
  const sasl = options.sasl ? await layOutSasl(directory, options.sasl) : "";
  const { network } = options;
  const bridge = join(directory, "bridge");
  const program = [join(CACHE, "usr/libexec/sendmail/sendmail"), "-bD", `-C${join(directory, "sendmail.cf")}`];
  const inside = network
    ? [
        process.execPath,
        BRIDGE,
        bridge,
        network.addresses[0] ?? "",
        String(port),
        String(options.nextPort),
        network.nextSocket,
        ...program,
      ]
    : program;
  const namespaces = ["-u", "-m", ...(network ? ["-n"] : [])];
  const settings = [directory, sasl, [...(network?.addresses ?? []), ...(network?.clients ?? [])].join(" ")];
  const child = spawn("unshare", [...namespaces, "sh", "-c", START, "sh", ...settings, ...inside], {
    env: environment(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (said += chunk));
  const stop = async (): Promise<void> => {
    await end(child);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await listening(network ? { path: bridge } : { port, host: "127.0.0.1" }, child);
  } catch (error) {
    await stop();
    throw new Error(`Sendmail did not start: ${said}`, { cause: error });
  }
  const inQueue = async (kind: string): Promise<string[]> =>
    (await readdir(join(directory, "mqueue"))).filter((name) => name.startsWith(kind)).map((name) => name.slice(2));
  const command = (...args: readonly string[]): ChildProcessWithoutNullStreams => {
    const called = [...program.slice(0, 1), ...program.slice(2), ...args];
    return spawn("nsenter", ["-t", String(child.pid), "-u", "-m", ...called], { env: environment() });
  };
  return { port, directory, bridge, quarantined: () => inQueue("hf"), queued: () => inQueue("qf"), command, stop };
}

const START = `
hostname ${HOSTNAME} &&
mount --bind "$1/hosts" /etc/hosts &&
mount --bind "$1/resolv.conf" /etc/resolv.conf &&
if [ -n "$2" ]; then mount --bind "$2" "$SASL_PLUGINS"; fi &&
if [ -n "$3" ]; then ip link set lo up; for a in $3; do ip addr add "$a" dev lo 2>/dev/null; done; fi &&
shift 3 &&
exec "$@"
`;

/** Plugins and configuration in one directory, which is put where libsasl2 looks for both. */
async function layOutSasl(directory: string, lines: readonly string[]): Promise<string> {
  const sasl = join(directory, "sasl");
  await run("cp", ["-a", join(CACHE, PLUGINS), sasl]);
  await writeFile(join(sasl, "Sendmail.conf"), lines.map((line) => `${line}\n`).join(""));
  return sasl;
}

/** In a network of its own it listens on all of its addresses. */
const daemons = (port: number, { network }: SendmailOptions): string[] =>
  (network?.addresses ?? ["127.0.0.1"]).map(
    (address) =>
      `DAEMON_OPTIONS(\`Port=${port}, Addr=${address}, ${address.includes(":") ? "Family=inet6, " : ""}Name=MTA')`,
  );

async function configuration(directory: string, port: number, options: SendmailOptions): Promise<string> {
  const source = join(directory, "sendmail.mc");
  const lines = [
    "divert(0)dnl",
    "OSTYPE(`linux')",
    `define(\`confDOMAIN_NAME', \`${HOSTNAME}')`,
    `define(\`QUEUE_DIR', \`${directory}/mqueue')`,
    `define(\`STATUS_FILE', \`${directory}/statistics')`,
    `define(\`HELP_FILE', \`${directory}/helpfile')`,
    "define(`ALIAS_FILE', `')",
    `define(\`confPID_FILE', \`${directory}/pid')`,
    `define(\`confSERVICE_SWITCH_FILE', \`${directory}/switch')`,
    "define(`confTO_IDENT', `0s')",
    "define(`confBAD_RCPT_THROTTLE', `0')",
    "define(`confDONT_BLAME_SENDMAIL', `GroupWritableDirPathSafe')",
    "define(`SMART_HOST', `relay:[127.0.0.1]')",
    `define(\`RELAY_MAILER_ARGS', \`TCP $h ${options.nextPort}')`,
    "FEATURE(`nocanonify')",
    "FEATURE(`promiscuous_relay')",
    "FEATURE(`accept_unresolvable_domains')",
    "FEATURE(`no_default_msa')",
    ...daemons(port, options),
    ...(options.milter ? [`INPUT_MAIL_FILTER(\`tested', \`S=${options.milter}, F=T, T=C:5s;S:10s;R:10s;E:60s')`] : []),
    ...(options.mc ?? []),
    "MAILER(`smtp')",
  ];
  await writeFile(source, lines.map((line) => `${line}\n`).join(""));
  const cf = join(CACHE, "usr/share/sendmail/cf/");
  const args = ["-I", `${cf}m4`, `-D_CF_DIR_=${cf}`, `${cf}m4/cf.m4`, source];
  return (await run(join(CACHE, "usr/bin/m4"), args, { env: environment() })).stdout;
}

const MACHINE = `${{ x64: "x86_64", arm64: "aarch64" }[process.arch as "x64"] ?? process.arch}-linux-gnu`;
const PLUGINS = `usr/lib/${MACHINE}/sasl2`;

function environment(): NodeJS.ProcessEnv {
  const folders = ["lib", "usr/lib"].map((folder) => join(CACHE, folder, MACHINE));
  return {
    PATH: `/usr/sbin:/sbin:${process.env.PATH}`,
    LC_ALL: "C",
    LD_LIBRARY_PATH: folders.join(":"),
    SASL_PLUGINS: `/${PLUGINS}`,
  };
}

/** Ends it and waits; the children of its connections end with their clients. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 5_000);
  await exited;
  clearTimeout(timer);
}

async function listening(to: NetConnectOpts, child: ChildProcess): Promise<void> {
  const endMs = performance.now() + START_MS_MAX;
  while (!(await answers(to))) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
    if (performance.now() > endMs) throw new Error(`not within ${START_MS_MAX} ms`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function answers(to: NetConnectOpts): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(to, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
