import { execFile, execFileSync } from "node:child_process";
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Owner of the mailboxes: nobody. */
const MAIL_UID = 65_534;
const START_MS_MAX = 20_000;
const POLL_MS = 20;

export interface PostfixOptions {
  /** Mail for this domain is delivered into Maildirs. */
  readonly domain?: string;
  /** Local parts that exist there; mail for others is refused. */
  readonly users?: readonly string[];
  /** Further lines of main.cf, for example `smtpd_milters = inet:127.0.0.1:8893`; the last of a name wins. */
  readonly mainCf?: readonly string[];
  /** Further services of master.cf. */
  readonly masterCf?: readonly string[];
  /** `-o` settings of the smtpd service alone. */
  readonly smtpdOptions?: readonly string[];
}

export interface Postfix {
  /** Of its smtpd, on 127.0.0.1. */
  readonly port: number;
  readonly configDir: string;
  /** The directory everything of it lives in. */
  readonly directory: string;
  /** Mails delivered to a user so far, as Postfix stored them (LF line ends). */
  mails(user: string): Promise<Buffer[]>;
  /** Waits until there are so many. */
  delivered(user: string, count: number, timeoutMs?: number): Promise<Buffer[]>;
  log(): Promise<string>;
  stop(): Promise<void>;
}

/** Can a Postfix be run here? It needs the program, and root. */
export function postfixIsHere(): boolean {
  try {
    execFileSync("postconf", ["-d", "mail_version"], { stdio: "ignore", env: environment() });
    return process.getuid?.() === 0;
  } catch {
    return false;
  }
}

/**
 * Starts a real Postfix of its own: own configuration, queue, data and log under a temporary directory, smtpd on a free
 * loopback port, no DNS. Nothing of an installed Postfix is touched.
 */
export async function startPostfix(options: PostfixOptions = {}): Promise<Postfix> {
  const directory = await mkdtemp(join(tmpdir(), "postfix-"));
  // The daemons run as the user postfix and must get in.
  await chmod(directory, 0o755);
  const port = await freePort();
  const configDir = join(directory, "etc");
  await layOut(directory, port, options);
  const postfix = (command: string) => run("postfix", ["-c", configDir, command], { env: environment() });
  const log = (): Promise<string> => readFile(join(directory, "log"), "utf8").catch(() => "");
  const stop = async (): Promise<void> => {
    await postfix("stop").catch(() => {});
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await postfix("start");
    await until(async () => (await log()).includes("daemon started"), START_MS_MAX, log);
  } catch (error) {
    const said = await log();
    await stop();
    throw new Error(`Postfix did not start: ${said}`, { cause: error });
  }
  const mails = (user: string): Promise<Buffer[]> => readMaildir(join(directory, "mail", user, "new"));
  return {
    port,
    configDir,
    directory,
    mails,
    async delivered(user, count, timeoutMs = 10_000) {
      await until(async () => (await mails(user)).length >= count, timeoutMs, log);
      return mails(user);
    },
    log,
    stop,
  };
}

async function layOut(directory: string, port: number, options: PostfixOptions): Promise<void> {
  const { domain = "example.test", users = ["b", "c"] } = options;
  for (const part of ["etc", "queue", "data", "mail"]) await mkdir(join(directory, part));
  const postfixUid = Number(execFileSync("id", ["-u", "postfix"]));
  await chown(join(directory, "data"), postfixUid, postfixUid);
  await chown(join(directory, "mail"), MAIL_UID, MAIL_UID);
  const etc = join(directory, "etc");
  const mailboxes = users.map((user) => `${user}@${domain} ${user}/\n`).join("");
  await writeFile(join(etc, "mailboxes"), mailboxes);
  await writeFile(
    join(etc, "main.cf"),
    lines(lastOfEachName([...mainCf(directory, domain), ...(options.mainCf ?? [])])),
  );
  await writeFile(join(etc, "master.cf"), lines([...masterCf(port, options), ...(options.masterCf ?? [])]));
}

/**
 * Postfix warns of a name given twice, its log daemon too: into its own socket, which holds ten lines. With the others' warnings
 * before its own the daemon then waits for itself, for ever, and everybody else for the daemon.
 */
function lastOfEachName(settings: readonly string[]): string[] {
  return [...new Map(settings.map((line) => [line.slice(0, line.indexOf("=")).trim(), line])).values()];
}

const lines = (list: readonly string[]): string => list.map((line) => `${line}\n`).join("");

const mainCf = (directory: string, domain: string): string[] => [
  "compatibility_level = 3.6",
  `queue_directory = ${directory}/queue`,
  `data_directory = ${directory}/data`,
  `maillog_file = ${directory}/log`,
  `maillog_file_prefixes = ${directory}`,
  "myhostname = postfix.test",
  "mydestination =",
  "mynetworks = 127.0.0.0/8",
  "inet_interfaces = 127.0.0.1",
  "inet_protocols = ipv4",
  "alias_maps =",
  "alias_database =",
  "smtpd_peername_lookup = no",
  "disable_dns_lookups = yes",
  "smtpd_authorized_xforward_hosts = 127.0.0.1",
  "smtpd_authorized_xclient_hosts = 127.0.0.1",
  "smtpd_recipient_restrictions = reject_unauth_destination",
  "smtpd_relay_restrictions =",
  `virtual_mailbox_domains = ${domain}`,
  `virtual_mailbox_base = ${directory}/mail`,
  `virtual_mailbox_maps = texthash:${directory}/etc/mailboxes`,
  `virtual_uid_maps = static:${MAIL_UID}`,
  `virtual_gid_maps = static:${MAIL_UID}`,
];

const masterCf = (port: number, { smtpdOptions = [] }: PostfixOptions): string[] => [
  `127.0.0.1:${port} inet n - n - - smtpd${smtpdOptions.map((option) => ` -o ${option}`).join("")}`,
  "pickup unix n - n 60 1 pickup",
  "cleanup unix n - n - 0 cleanup",
  "qmgr unix n - n 300 1 qmgr",
  "tlsmgr unix - - n 1000? 1 tlsmgr",
  "rewrite unix - - n - - trivial-rewrite",
  "bounce unix - - n - 0 bounce",
  "defer unix - - n - 0 bounce",
  "trace unix - - n - 0 bounce",
  "proxymap unix - - n - - proxymap",
  "smtp unix - - n - - smtp",
  "error unix - - n - - error",
  "retry unix - - n - - error",
  "discard unix - - n - - discard",
  "virtual unix - n n - - virtual",
  "anvil unix - - n - 1 anvil",
  "showq unix n - n - - showq",
  "flush unix n - n 1000? 0 flush",
  "postlog unix-dgram n - n - 1 postlogd",
];

async function readMaildir(path: string): Promise<Buffer[]> {
  const names = await readdir(path).catch(() => []);
  return Promise.all(names.sort().map((name) => readFile(join(path, name))));
}

/** Polls; the log goes into the error. */
async function until(isTrue: () => Promise<boolean>, timeoutMs: number, log: () => Promise<string>): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!(await isTrue())) {
    if (performance.now() > endMs) throw new Error(`not within ${timeoutMs} ms; Postfix says: ${await log()}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
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

/** Its programs live where a user's PATH may not reach; MAIL_CONFIG and the like must not leak in. */
const environment = (): NodeJS.ProcessEnv => ({ PATH: `/usr/sbin:/sbin:${process.env.PATH}`, LC_ALL: "C" });
