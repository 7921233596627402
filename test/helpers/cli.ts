import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { tempDir } from "./temp.ts";

const ENTRY = fileURLToPath(new URL("../../src/commands/index.ts", import.meta.url));
/** A command that hangs fails its test and is gone. */
const PATIENCE_MS = 20_000;

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A directory with a configuration of its own, and the real command line working on it. */
export interface Cli {
  readonly dir: string;
  /** Runs `consentry WORDS --config …` to its end. */
  run(words: readonly string[], more?: { stdin?: string | Buffer; env?: NodeJS.ProcessEnv }): Promise<Ran>;
  /** The same; what was printed is one JSON document. */
  json(words: readonly string[]): Promise<unknown>;
  /** Writes a file there. @returns its path */
  file(name: string, text: string | Buffer): string;
}

/** @param at a configuration that is there already, instead of one with this text */
export function createCli(config = "", at?: string): Cli {
  const dir = tempDir();
  const file = (name: string, text: string | Buffer): string => {
    writeFileSync(join(dir, name), text);
    return join(dir, name);
  };
  const configPath = at ?? file("consentry.yaml", `dataDir: ${JSON.stringify(join(dir, "data"))}\n${config}`);
  const run: Cli["run"] = (words, { stdin = "", env = {} } = {}) =>
    new Promise((resolve, reject) => {
      const args = ["--disable-warning=ExperimentalWarning", ENTRY, ...words, "--config", configPath];
      const child = spawn(process.execPath, args, { cwd: dir, env: { ...process.env, ...env }, timeout: PATIENCE_MS });
      const out: Buffer[] = [];
      const err: Buffer[] = [];
      child.stdout.on("data", (piece: Buffer) => out.push(piece));
      child.stderr.on("data", (piece: Buffer) => err.push(piece));
      child.on("error", reject);
      child.on("close", (code) =>
        resolve({ code, stdout: Buffer.concat(out).toString("utf8"), stderr: Buffer.concat(err).toString("utf8") }),
      );
      child.stdin.on("error", () => undefined);
      child.stdin.end(stdin);
    });
  return {
    dir,
    file,
    run,
    json: async (words) => {
      const ran = await run([...words, "--json"]);
      if (ran.code !== 0) throw new Error(`exit ${ran.code}: ${ran.stderr}`);
      return JSON.parse(ran.stdout);
    },
  };
}
