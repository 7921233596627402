/** Haraka, installed by npm into the user's cache, outside of the project: smtp_forward, one process for each processor. */
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism, homedir } from "node:os";
import { dirname, join } from "node:path";
import { freePort, type Running, start, untilListening } from "./processes.ts";

const HARAKA_VERSION = "3.3.4";
const CACHE = join(
  process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"),
  "consentry-bench",
  `haraka-${HARAKA_VERSION}`,
);
const INSTALL_MS_MAX = 300_000;
/** Versions that some of its parts ask for and not every registry has. */
const OVERRIDES = { libqp: "2.1.2", "encoding-japanese": "2.4.0" };

/** @throws Error when npm cannot install it */
function installed(): string {
  const program = join(CACHE, "node_modules/Haraka/bin/haraka");
  if (existsSync(program)) return program;
  mkdirSync(CACHE, { recursive: true });
  writeFileSync(join(CACHE, "package.json"), JSON.stringify({ private: true, overrides: OVERRIDES }));
  const args = ["install", "--no-fund", "--no-audit", "--loglevel=error", `Haraka@${HARAKA_VERSION}`];
  execFileSync("npm", args, { cwd: CACHE, stdio: ["ignore", "ignore", "pipe"], timeout: INSTALL_MS_MAX });
  return program;
}

export async function startHaraka(work: string, sinkPort: number): Promise<Running & { port: number }> {
  const program = installed();
  const port = await freePort();
  const dir = join(work, "haraka");
  const config = join(dir, "config");
  mkdirSync(config, { recursive: true });
  mkdirSync(join(dir, "queue"), { recursive: true });
  const files: Record<string, string> = {
    "smtp.ini": `listen=127.0.0.1:${port}\nnodes=${availableParallelism()}\n`,
    plugins: "rcpt_to.in_host_list\nheaders\nqueue/smtp_forward",
    host_list: "example.com",
    me: "relay.example.net",
    loglevel: "ERROR",
    "log.ini": "[main]\nlevel=error",
    "smtp_forward.ini": `host=127.0.0.1\nport=${sinkPort}\n`,
  };
  // It does not greet without its own.
  copyFileSync(join(dirname(dirname(program)), "config/connection.ini"), join(config, "connection.ini"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(config, name), `${text}\n`);
  const running = start(process.execPath, [program, "-c", dir]);
  await untilListening(port);
  return { ...running, port };
}
