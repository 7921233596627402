import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort, installed, isFree, type Program, startProgram } from "./process.ts";
import { tempDir } from "./temp.ts";
import { until } from "./wait.ts";

/** Is there a program clamd? */
export const hasClamd = installed("clamd");

/** Text that this clamd takes for malware. */
export const INFECTED = "CONSENTRY-TEST-SIGNATURE-1";

/** A real clamd that knows one signature of our own and no other; its own database is not needed. */
export async function startClamd(): Promise<{
  readonly port: number;
  readonly socket: string;
  readonly program: Program;
}> {
  const dir = tempDir();
  chmodSync(dir, 0o755);
  const database = join(dir, "database");
  mkdirSync(database);
  writeFileSync(join(database, "own.ndb"), `Consentry.Test:0:*:${Buffer.from(INFECTED).toString("hex")}\n`);
  const port = await freePort();
  const socket = join(dir, "clamd.sock");
  const conf = join(dir, "clamd.conf");
  const lines = [
    "Foreground yes",
    `DatabaseDirectory ${database}`,
    `TCPSocket ${port}`,
    "TCPAddr 127.0.0.1",
    `LocalSocket ${socket}`,
    "StreamMaxLength 1M",
    "LogVerbose yes",
  ];
  writeFileSync(conf, `${lines.join("\n")}\n`);
  const program = await startProgram("clamd", ["--config-file", conf]);
  await until("clamd listens", async () => !(await isFree(port)), 30_000);
  return { port, socket, program };
}
