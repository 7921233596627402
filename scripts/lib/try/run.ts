import { spawn } from "node:child_process";

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const TIMEOUT_MS = 120_000;

/**
 * Runs a program to its end; its exit code is a result, not an error.
 * @throws Error when it cannot be started or was stopped by a signal
 */
export function run(command: readonly string[], { cwd, input }: { cwd?: string; input?: string } = {}): Promise<Ran> {
  const [program = "", ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...(cwd && { cwd }), timeout: TIMEOUT_MS });
    const heard = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
    child.stdout.on("data", (piece: Buffer) => heard.stdout.push(piece));
    child.stderr.on("data", (piece: Buffer) => heard.stderr.push(piece));
    child.stdin.on("error", () => undefined);
    child.stdin.end(input ?? "");
    child.on("error", reject);
    child.on("close", (status, signal) => {
      if (status === null) return reject(new Error(`${program} was stopped by ${signal}`));
      const text = (pieces: Buffer[]): string => Buffer.concat(pieces).toString("utf8");
      resolve({ status, stdout: text(heard.stdout), stderr: text(heard.stderr) });
    });
  });
}
