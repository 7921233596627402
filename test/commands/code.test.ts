import { beforeAll, expect, it } from "vitest";
import { type Cli, createCli } from "../helpers/cli.ts";

/** One process after the other on one data directory: the story of some codes. */
let cli: Cli;
beforeAll(() => {
  cli = createCli();
});
const SLOW_MS = 60_000;

it("are issued for three years, once, and shown", { timeout: SLOW_MS }, async () => {
  const issued = await cli.run([
    "code",
    "issue",
    "abc1",
    "--holder",
    "Agency",
    "--issued",
    "2026-01-01",
    "--actor",
    "ann",
  ]);
  expect(issued).toEqual({ code: 0, stdout: "ABC1: issued to agency, good until 2029-01-01\n", stderr: "" });
  const again = await cli.run(["code", "issue", "ABC1", "--holder", "other"]);
  expect([again.code, again.stderr]).toEqual([2, "consentry: there is a code ABC1 already, of agency\n"]);
  expect(await cli.json(["code", "show", "ABC1"])).toEqual({
    code: "ABC1",
    holder: "agency",
    published: true,
    state: "valid",
    issued: "2026-01-01",
    expires: "2029-01-01",
  });
});

it("are changed, revoked with a reason, and listed with their state", { timeout: SLOW_MS }, async () => {
  await cli.run(["code", "issue", "OLD1", "--holder", "agency", "--issued", "2020-01-01"]);
  await cli.run(["code", "issue", "NEW1", "--holder", "agency", "--no-published"]);
  expect((await cli.run(["code", "change", "NEW1", "--published", "--name", "Agency Ltd"])).code).toBe(0);
  expect((await cli.run(["code", "revoke", "ABC1", "--why", "boredom"])).code).toBe(2);
  expect((await cli.run(["code", "revoke", "ABC1", "--why", "request"])).code).toBe(0);
  const { stdout } = await cli.run(["code", "list"]);
  const lines = stdout.split("\n").map((line) => line.split(/ {2,}/));
  expect(lines.slice(1, 4).map(([code, , state, , , published, name]) => [code, state, published, name])).toEqual([
    ["ABC1", "revoked", "yes", "-"],
    ["NEW1", "valid", "yes", "Agency Ltd"],
    ["OLD1", "expired", "yes", "-"],
  ]);
});

it("are renewed in time or not at all", { timeout: SLOW_MS }, async () => {
  expect((await cli.run(["code", "renew", "OLD1"])).stderr).toBe("consentry: OLD1 is expired: a new code is needed\n");
  expect((await cli.run(["code", "renew", "NEW1"])).stdout).toMatch(/^NEW1: renewed, good until 20/);
});

it("are taken from the published list, and every line that does not do is named", { timeout: SLOW_MS }, async () => {
  const list = [
    "code,holder,issued_at,expires_at,name",
    "QQQ1,ads.example,2026-01-01,2029-01-01,Ads Ltd",
    "QQ,ads.example,2026-01-01,2029-01-01,",
    "RRR1,ads.example,someday,2029-01-01,",
  ];
  const ran = await cli.run(["code", "import", cli.file("list.csv", `${list.join("\n")}\n`)]);
  expect([ran.code, ran.stdout]).toEqual([1, "1 code taken over, 0 known already, 2 left out\n"]);
  expect(ran.stderr).toMatch(
    /^list\.csv:3: this code cannot be recorded: code: .*\nlist\.csv:4: issued_at: "someday" is no time/,
  );
  expect((await cli.run(["code", "import", cli.file("list.csv", `${list.slice(0, 2).join("\n")}\n`)])).stdout).toBe(
    "0 codes taken over, 1 known already, 0 left out\n",
  );
});

it("leave an entry in the ledger for each change, with who did it", { timeout: SLOW_MS }, async () => {
  const { stdout } = await cli.run(["ledger", "find", "--json"]);
  expect(stdout).toContain('"change":"issued"');
  expect(stdout).toContain('"change":"imported"');
  expect(stdout).toContain('"actor":"ann"');
});
