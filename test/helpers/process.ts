import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll } from "vitest";
import { until } from "./wait.ts";

const LINES_KEPT = 5_000;
const STOP_MS = 5_000;
const LAST_LINES_MS = 500;

/** A real program, running. All that were started are stopped, by pid, when the test file is done. */
export interface Program {
  readonly pid: number;
  /** Standard output and error, line by line, the last 5,000. */
  readonly lines: readonly string[];
  /** Resolves once it is gone. */
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  waitForLine(pattern: RegExp, timeoutMs?: number): Promise<string>;
  signal(name: NodeJS.Signals): void;
  /** Asks it to end, and kills it when it does not. */
  stop(): Promise<void>;
}

export interface ProgramOptions {
  readonly cwd?: string;
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

const running = new Set<Program>();

/** Is there such a program in the PATH? */
export function installed(name: string): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((dir) => {
    try {
      accessSync(join(dir, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function collectLines(child: ChildProcess): string[] {
  const lines: string[] = [];
  for (const input of [child.stdout, child.stderr]) {
    if (!input) continue;
    createInterface({ input }).on("line", (line) => {
      lines.push(line);
      if (lines.length > LINES_KEPT) lines.shift();
    });
  }
  return lines;
}

/** Waits a little for the last lines too; but what the program started itself may hold its output open for ever. */
function exitOf(child: ChildProcess): Program["exited"] {
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => {
      const timer = setTimeout(() => resolve({ code, signal }), LAST_LINES_MS);
      child.once("close", () => {
        clearTimeout(timer);
        resolve({ code, signal });
      });
    });
  });
}

/** Starts a program. @throws when it cannot be started */
export async function startProgram(
  command: string,
  args: readonly string[] = [],
  { cwd, env }: ProgramOptions = {},
): Promise<Program> {
  const child = spawn(command, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
    ...(cwd !== undefined && { cwd }),
  });
  const lines = collectLines(child);
  const exited = exitOf(child);
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", reject);
  });
  let gone = false;
  const program: Program = {
    pid: child.pid ?? 0,
    lines,
    exited,
    waitForLine: (pattern, timeoutMs = 10_000) =>
      until(`${command} says ${pattern}`, () => lines.find((line) => pattern.test(line)), timeoutMs),
    signal(name) {
      if (!gone) child.kill(name);
    },
    async stop() {
      if (gone) return;
      child.kill("SIGTERM");
      child.kill("SIGCONT");
      const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
      await exited;
      clearTimeout(timer);
    },
  };
  running.add(program);
  void exited.then(() => {
    gone = true;
    running.delete(program);
  });
  return program;
}

/** Starts a TypeScript file of the tests in a Node of its own. */
export const startNode = (file: string, args: readonly string[] = [], options: ProgramOptions = {}): Promise<Program> =>
  startProgram(process.execPath, [file, ...args], options);

/** Does anybody listen on this port of 127.0.0.1? */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/** A port of 127.0.0.1 nobody listens on. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

afterAll(async () => {
  await Promise.all([...running].map((program) => program.stop()));
});
