import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const run = promisify(execFile);
const DIRECTORY = fileURLToPath(new URL("miltertest", import.meta.url));
const SERVER = fileURLToPath(new URL("../helpers/milter-demo-server.ts", import.meta.url));

function isHere(): boolean {
  try {
    execFileSync("miltertest", ["-V"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** The demo handler as a program of its own, and what it said since. */
async function startServer(mode: string): Promise<{ child: ChildProcess; port: number; said: string[] }> {
  const child = spawn(process.execPath, [SERVER, mode], { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout });
  const [first] = (await once(lines, "line")) as [string];
  const said: string[] = [];
  lines.on("line", (line: string) => said.push(line));
  const { port } = JSON.parse(first.replace("listening ", "")) as { port: number };
  return { child, port, said };
}

describe.skipIf(!isHere()).each(["answered", "default"])(
  "miltertest against the %s server (skipped without miltertest)",
  (mode) => {
    let server: Awaited<ReturnType<typeof startServer>>;
    beforeAll(async () => {
      server = await startServer(mode);
    });
    afterAll(async () => {
      const ended = once(server.child, "exit");
      server.child.kill("SIGTERM");
      expect(await ended).toEqual([0, null]);
    });

    const scripts = readdirSync(`${DIRECTORY}/${mode}`).filter((name) => name.endsWith(".lua"));
    it.each(scripts)("%s", async (script) => {
      const defined = [`PORT=${server.port}`, `DIRECTORY=${DIRECTORY}`, `SCRIPT=${mode}/${script}`].flatMap((one) => [
        "-D",
        one,
      ]);
      const [stdout, code] = await run("miltertest", [...defined, "-s", `${DIRECTORY}/run.lua`], {
        timeout: 30_000,
      }).then(
        (ended) => [ended.stdout, 0],
        (failed) => [failed.stdout, failed.code],
      );
      expect([stdout, code]).toEqual(["", 0]);
      expect(server.said.filter((line) => line.startsWith("fault")).every((line) => /handler|peer/.test(line))).toBe(
        true,
      );
    });
  },
);
