/** Starting what is measured, and reading from the kernel what it cost. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer, connect as netConnect } from "node:net";

export interface Running {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Ends it and waits until it is gone. */
  stop(): Promise<void>;
}

/** Starts a program; what it prints is thrown away unless it dies. */
export function start(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
  const child = spawn(command, args, { stdio: ["ignore", "ignore", "inherit"], env: { ...process.env, ...env } });
  const { pid } = child;
  if (pid === undefined) throw new Error(`cannot start ${command}`);
  return {
    child,
    pid,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, "exit");
      child.kill("SIGTERM");
      const patience = setTimeout(() => child.kill("SIGKILL"), 10_000);
      await gone;
      clearTimeout(patience);
    },
  };
}

/** A port nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (!address || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** Resolves when something accepts connections there; fails after 20 s. */
export async function untilListening(port: number): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (Date.now() < deadline) {
    const socket = netConnect(port, "127.0.0.1");
    const up = await Promise.race([
      once(socket, "connect").then(() => true),
      once(socket, "error").then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (up) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nothing listens on port ${port}`);
}

const CLOCK_TICKS = 100;

/** User and system time of a process so far, seconds; its threads included. */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS;
}

/** Memory a process holds now, MB. */
export const memoryMb = (pid: number): number => statusMb(pid, "VmRSS");

/** Most memory a process has held, MB. */
export const peakMemoryMb = (pid: number): number => statusMb(pid, "VmHWM");

function statusMb(pid: number, field: string): number {
  const match = new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Math.round(Number(match?.[1] ?? 0) / 1024);
}

/** What is to be measured is not on this machine. */
export class MissingProgram extends Error {
  constructor(name: string, debianPackage: string) {
    super(`${name} is missing: apt-get install ${debianPackage}`);
    this.name = "MissingProgram";
  }
}

/** Finds a program in PATH or /usr/sbin, or says which Debian package has it. */
export function program(name: string, debianPackage: string): string {
  const dirs = [...(process.env.PATH ?? "").split(":"), "/usr/sbin", "/sbin"];
  const found = dirs.map((dir) => `${dir}/${name}`).find((path) => existsSync(path));
  if (!found) throw new MissingProgram(name, debianPackage);
  return found;
}
