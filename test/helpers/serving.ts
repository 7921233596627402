/** `consentry serve` as operators start it: a process of its own, with workers of its own where the configuration asks for them. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { stringify } from "yaml";
import { type Program, startNode } from "./process.ts";
import { openSmtp, type SmtpDialogue } from "./smtp-dialogue.ts";
import { HOUSE } from "./source.ts";
import { tempDir } from "./temp.ts";
import { until } from "./wait.ts";

const MAIN = join(HOUSE, "src/commands/index.ts");
const START_MS = 30_000;

/** A line of its log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string };

export interface Serving {
  readonly program: Program;
  readonly dir: string;
  /** Of each listener of the configuration, in its order; 0 for a unix socket. */
  readonly ports: readonly number[];
  readonly port: number;
  /** What it logged so far, workers and all. */
  log(): readonly LogLine[];
  logged(what: RegExp, timeoutMs?: number): Promise<LogLine>;
  /** The processes that work now, by their worker number. */
  workers(): ReadonlyMap<number, number>;
  /** Writes another configuration where the first one was; nothing is told to read it. */
  write(overrides: Readonly<Record<string, unknown>> | string): void;
  /** Starts it anew, with the configuration as it stands, after it has ended. */
  again(): Promise<Serving>;
  /** Everything that was delivered, as text. */
  delivered(): readonly string[];
}

/** Starts it with a Maildir as next hop; it is stopped when the test is done. */
export async function startServing(overrides: Readonly<Record<string, unknown>> = {}): Promise<Serving> {
  const dir = tempDir();
  const path = join(dir, "consentry.yaml");
  const mail = join(dir, "mail");
  mkdirSync(mail);
  const base = {
    hostname: "relay.example.net",
    listeners: [{ door: "smtp", listen: "127.0.0.1:0" }],
    localDomains: ["example.com"],
    dataDir: join(dir, "var"),
    workers: 2,
    nextHop: { to: `maildir:${mail}` },
    log: { level: "debug", format: "json" },
    ...overrides,
  };
  const serving = JSON.parse(JSON.stringify(base).replaceAll("maildir:MAIL", `maildir:${mail}`)) as typeof base;
  const write = (changes: Readonly<Record<string, unknown>> | string): void =>
    writeFileSync(path, typeof changes === "string" ? changes : stringify({ ...serving, ...changes }));
  write({});
  return run({ dir, path, mail, write });
}

interface Place extends Pick<Serving, "dir" | "write"> {
  readonly path: string;
  readonly mail: string;
}

async function run(place: Place): Promise<Serving> {
  const { dir, path, mail, write } = place;
  const program = await startNode(MAIN, ["serve", "--config", path]);
  onTestFinished(program.stop);
  const log = (): LogLine[] =>
    program.lines.flatMap((line) => (line.startsWith("{") ? [JSON.parse(line) as LogLine] : []));
  const logged = (what: RegExp, timeoutMs = START_MS): Promise<LogLine> =>
    until(`the log says ${what}`, () => log().find(({ msg }) => what.test(msg)), timeoutMs);
  const died = program.exited.then(({ code }) => {
    throw new Error(`serve ended with ${code}:\n${program.lines.join("\n")}`);
  });
  died.catch(() => undefined);
  const { addresses } = await Promise.race([logged(/^listening$/), died]);
  const ports = (addresses as string[]).map((address) => Number(/:(\d+)$/.exec(address)?.[1] ?? 0));
  return {
    program,
    dir,
    ports,
    port: ports[0] ?? 0,
    log,
    logged,
    write,
    workers: () => workersOf(program.pid),
    again: () => run(place),
    delivered: () =>
      readdirSync(mail, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.parentPath.endsWith("/new"))
        .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1")),
  };
}

/** Children of a process that are its workers, from the kernel: number, pid. */
function workersOf(pid: number): Map<number, number> {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean);
  return new Map(
    children.flatMap((child) => {
      const number = /NODE_UNIQUE_ID=(\d+)/.exec(environmentOf(child))?.[1];
      return number === undefined ? [] : [[Number(number), Number(child)]];
    }),
  );
}

function environmentOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, "latin1");
  } catch {
    return "";
  }
}

/** Is there such a process, and is it no zombie? */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** What a crowd of clients heard. */
export interface Crowd {
  /** Message-IDs that were answered with 250. */
  readonly accepted: string[];
  /** Answers to the end of a mail, to MAIL or to the connection, that were none. */
  readonly refused: string[];
  /** Connections that broke off before an answer. */
  broken: number;
  /** Ends the clients, each after its mail. */
  stop(): Promise<void>;
}

/** Clients that send one mail after the other over kept connections, and connect again when they are cut off. */
export function startCrowd(port: number, clients: number, { perConnection = 50 } = {}): Crowd {
  let stopped = false;
  let count = 0;
  const crowd: Crowd = {
    accepted: [],
    refused: [],
    broken: 0,
    async stop() {
      stopped = true;
      await Promise.all(running);
    },
  };
  const sendOne = async (smtp: SmtpDialogue): Promise<boolean> => {
    count += 1;
    const id = `<m${count}.crowd@stranger.example>`;
    const content = `From: <a@stranger.example>\r\nTo: <b@example.com>\r\nDate: ${new Date().toUTCString().replace("GMT", "+0000")}\r\nMessage-ID: ${id}\r\nSubject: hello\r\n\r\nhello`;
    const heard = await smtp.mail({ from: "a@stranger.example", to: ["b@example.com"], content });
    const last = heard.at(-1) ?? "";
    if (last === "") crowd.broken += 1;
    else if (heard.length === 4 && last.startsWith("250")) crowd.accepted.push(id);
    else crowd.refused.push(last);
    return last !== "" && !last.startsWith("421");
  };
  const client = async (): Promise<void> => {
    while (!stopped) {
      const smtp = await openSmtp(port);
      if (smtp.greeting.startsWith("220") && (await smtp.say("EHLO host.stranger.example")) !== "") {
        for (let sent = 0; sent < perConnection && !stopped; sent += 1) if (!(await sendOne(smtp))) break;
      } else if (smtp.greeting === "") crowd.broken += 1;
      else crowd.refused.push(smtp.greeting);
      smtp.end();
    }
  };
  const running = Array.from({ length: clients }, client);
  return crowd;
}
