import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { adCopiesOf } from "../../src/stores/open-ads.ts";
import { createCli } from "../helpers/cli.ts";
import { handClock } from "../helpers/hand-clock.ts";

const SLOW_MS = 60_000;

async function cliWithCopy() {
  const cli = createCli();
  const { config } = loadConfig(join(cli.dir, "consentry.yaml"), {});
  const whole = Buffer.from("Subject: sale\r\n\r\nbuy \x1b[31mnow\r\n");
  const changes = { fields: [], additions: [] };
  const parcel = { front: Buffer.alloc(0), bytes: whole.length, whole, changes, read: async function* () {} };
  await adCopiesOf(config, handClock(Date.UTC(2026, 10, 22))).write("MAIL1", parcel);
  return { cli, run: (line: string) => cli.run(["ad-archive", ...line.split(" ")]) };
}

it("lists copies, shows one under a case number only, and writes down who looked", { timeout: SLOW_MS }, async () => {
  const { cli, run } = await cliWithCopy();
  expect((await run("list")).stdout).toMatch(/2026-11-22 +MAIL1/);
  expect((await run("list --since 2026-11-23 --json")).stdout.trim()).toBe("[]");
  expect((await run("show MAIL1")).code).toBe(2);
  const shown = await run("show MAIL1 --case 2026-118");
  expect(shown.stdout).toMatch(/^Subject: sale\n\nbuy .*now/);
  expect(shown.stdout).not.toContain("\x1b");
  expect((await run("show MAIL9 --case 2026-118")).code).toBe(1);
  const out = join(cli.dir, "case-118");
  expect((await run(`export --since 2026-11-01 --until 2026-11-30 --out ${out} --case 2026-118`)).stdout).toBe(
    "1 copies exported\n",
  );
  expect(readdirSync(out)).toEqual(["MAIL1.eml"]);
  expect(readFileSync(join(out, "MAIL1.eml"), "latin1")).toContain("\x1b[31mnow");
  const found = (await cli.run(["ledger", "find", "--event", "ad-archive-read", "--json"])).stdout;
  expect(found.match(/"case":"2026-118"/g)).toHaveLength(3);
});

it("is for auditors, where the configuration names some", { timeout: SLOW_MS }, async () => {
  const cli = createCli("ledger: { auditors: [somebody-else] }\n");
  const ran = await cli.run(["ad-archive", "show", "MAIL1", "--case", "1"]);
  expect([ran.code, ran.stderr]).toEqual([1, expect.stringContaining("for auditors")]);
});
