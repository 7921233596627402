import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { mailDate } from "../../src/mail/received.ts";
import { startService } from "../helpers/service.ts";
import { smallPack } from "../helpers/small-packs.ts";
import { verdictsOf } from "../helpers/talk-matrix.ts";
import { tempDir } from "../helpers/temp.ts";

const SHOP = {
  id: "shop",
  kind: "isp-customer",
  domains: ["shop.example"],
  networks: ["198.51.100.0/24"],
  disabled: false,
} as const;
const MODES = { "cn-2006": "enforce", "vn-2008": "enforce", "xx-2020": "enforce" };

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

/** Runs a script. @returns what it complains of, and its exit code */
async function play(script: string, defined: Readonly<Record<string, string | number>>): Promise<[string, unknown]> {
  const all = { ...defined, DIRECTORY, SCRIPT: script };
  const definitions = Object.entries(all).flatMap(([name, value]) => ["-D", `${name}=${value}`]);
  return run("miltertest", [...definitions, "-s", `${DIRECTORY}/run.lua`], { timeout: 30_000 }).then(
    (ended) => [ended.stdout, 0],
    (failed) => [failed.stdout, failed.code],
  );
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
      expect(await play(`${mode}/${script}`, { PORT: server.port })).toEqual(["", 0]);
      expect(server.said.filter((line) => line.startsWith("fault")).every((line) => /handler|peer/.test(line))).toBe(
        true,
      );
    });
  },
);

describe.skipIf(!isHere())("miltertest against the door (skipped without miltertest)", () => {
  it("hears of each verdict what an MTA has to hear", async () => {
    const packs = tempDir();
    const pack = smallPack({ label: "AD", strangers: "hold" });
    const examples = { labelled: ["AD sale"], unlabelled: ["sale"] };
    writeFileSync(`${packs}/xx-2020.yaml`, stringify({ ...pack, examples }));
    const service = await startService({
      listeners: [{ door: "milter", listen: "127.0.0.1:0" }],
      packs: { directory: packs, byRecipientDomain: { "example.com": ["xx-2020"] }, modes: MODES },
    });
    await service.house.clients.save(SHOP, "sesame");
    const consent = { recipient: "agreed@other.example", advertiser: "shop", topics: [], proof: { how: "paper" } };
    await service.house.consents.grant(consent);

    const date = mailDate(Date.now());
    expect(await play("door/verdicts.lua", { PORT: service.ports[0] ?? 0, DATE: date })).toEqual(["", 0]);
    const counts = verdictsOf(await service.entries());
    expect(counts).toBe("1 held, 9 received, 4 refused");
  });
});
