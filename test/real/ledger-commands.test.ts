/** The commands of the ledger, typed on a site with three sealed days. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { loginName } from "../../src/commands/who.ts";
import { systemClock } from "../../src/kit/clock.ts";
import { createClockGuard } from "../../src/ledger/clock-guard.ts";
import { openStore } from "../../src/stores/open.ts";
import { createLedgerSite, type LedgerSite } from "../helpers/ledger-site.ts";

let site: LedgerSite;

beforeAll(async () => {
  const may = JSON.stringify(loginName());
  site = await createLedgerSite(
    `hostname: relay.example.net\nledger: { mayActAs: [${may}], auditors: [ann, bob] }\n`,
    3,
  );
}, 30_000);

const as = (who: string, ...words: string[]) => site.run(["ledger", ...words, "--as", who]);
const mailId = (index: number): string => site.entries[index * 2]?.mailId ?? "";

describe("consentry ledger explain", { timeout: 30_000 }, () => {
  it("tells auditors a mail's whole life, and operators the same with masked addresses", async () => {
    const seen = await as("ann", "explain", mailId(0).toLowerCase());
    expect(seen.stdout).toContain("from          news@shop.example\n");
    expect(seen.stdout).toMatch(
      /received for li@example\.com.*\n.*\+7 ms {2}handed-over for li@example\.com.*said: 250 2\.0\.0 stored\n/,
    );
    expect(seen.stdout).toMatch(/\n {2}li@example\.com: the next hop has it\n$/);
    const masked = await as("eve", "explain", mailId(0));
    expect(masked.stdout).toMatch(/ n\*\*\*@shop\.example\n.* l\*\*\*@example\.com/s);
    expect(masked.stdout).not.toMatch(/news@|li@/);
  });

  it("finds the mail of an entry's id, and says when there is none", async () => {
    const entry = site.entries[1]?.id ?? "";
    expect((await as("ann", "explain", entry)).stdout).toContain(`mail ${mailId(0)}\n`);
    expect(await as("ann", "explain", "nothing")).toEqual({
      code: 1,
      stdout: "",
      stderr: "consentry: there is no entry of nothing\n",
    });
  });

  it("prints one document for programs", async () => {
    const [life] = (await site.json(["ledger", "explain", mailId(1), "--as", "ann"])) as {
      ends: unknown;
      steps: unknown[];
    }[];
    expect(life).toMatchObject({ mailId: mailId(1), ends: [["wang@example.com", "the next hop has it"]] });
    expect(life?.steps).toHaveLength(2);
  });
});

it("consentry explain finds a mail in a sealed day, and says that nothing of it was refused", async () => {
  expect(await site.run(["explain", mailId(0)])).toEqual({
    code: 1,
    stdout: "",
    stderr: `consentry: nothing was refused or put off under ${mailId(0)}\n`,
  });
});

describe("consentry ledger subject", { timeout: 30_000 }, () => {
  it("tells one person's entries and consents and nothing of what authorities asked", async () => {
    const grant = [
      "consent",
      "grant",
      "an@example.vn",
      "--advertiser",
      "shop.example",
      "--how",
      "paper",
      "--reference",
      "7",
    ];
    expect((await site.run(grant)).code).toBe(0);
    const search = ["--case", "1", "--authority", "x", "--basis", "x", "--scope", "x", "--address", "an@example.vn"];
    await as("ann", "request", "open", ...search);
    const { stdout } = await as("ann", "subject", "--address", "an@example.vn");
    expect(stdout).toMatch(/Consents to advertising:\n {2}shop\.example: agreed on 20\d\d-\d\d-\d\d, by paper \(7\)\n/);
    expect(stdout).toMatch(/\n7 entries; /);
    expect(stdout).not.toMatch(/li@|wang@|request/);
    const lines = (await as("ann", "subject", "--address", "an@example.vn", "--json")).stdout.trim().split("\n");
    const documents = lines.map((line) => JSON.parse(line) as { consent?: object; entry?: { recipient: string } });
    expect(documents[0]?.consent).toMatchObject({ advertiser: "shop.example" });
    expect([...new Set(documents.slice(1).map(({ entry }) => entry?.recipient))]).toEqual(["an@example.vn"]);
  });

  it("is for auditors", async () => {
    expect((await as("eve", "subject", "--address", "an@example.vn")).stderr).toMatch(/this is for auditors/);
  });
});

describe("consentry ledger lookups", { timeout: 30_000 }, () => {
  it("tells who searched what and how much was shown", async () => {
    await as("bob", "explain", mailId(2), "--case", "7");
    expect((await as("ann", "lookups", "--case", "7")).stdout).toMatch(/Z {2}bob +2 hits +explain \w+, case 7\n$/);
    const [line = ""] = (await as("ann", "lookups", "--by", "bob", "--json")).stdout.split("\n");
    expect(JSON.parse(line)).toMatchObject({ actor: "bob", asked: { explain: mailId(2), case: "7" }, hits: 2 });
    expect((await as("eve", "lookups")).code).toBe(1);
  });
});

describe("consentry ledger request export", { timeout: 60_000 }, () => {
  const open = async (caseNumber: string, ...more: string[]): Promise<void> => {
    const words = [
      "--case",
      caseNumber,
      "--authority",
      "Police\nForged: yes",
      "--basis",
      "order 12",
      "--scope",
      "mail of li",
    ];
    await as("ann", "request", "open", ...words, "--recipient", "li@example.com", ...more);
    await as("bob", "request", "approve", "--case", caseNumber);
  };

  it("writes private files and nothing but them", async () => {
    await open("2");
    const ran = await as("ann", "request", "export", "--case", "2", "--out", "two", "--json");
    expect(JSON.parse(ran.stdout)).toMatchObject({ case: "2", entries: 6, proved: 6, encrypted: false });
    const out = join(site.dir, "two");
    const modes = readdirSync(out, { recursive: true, withFileTypes: true }).map(
      (entry) => [entry.isFile(), statSync(join(entry.parentPath, entry.name)).mode & 0o777] as const,
    );
    expect(modes.filter(([file, mode]) => mode !== (file ? 0o600 : 0o700))).toEqual([]);
    expect(statSync(out).mode & 0o777).toBe(0o700);
    expect(readFileSync(join(out, "cover-sheet.txt"), "utf8")).toContain("Authority: Police Forged: yes\n");
    expect(readdirSync(site.dir).filter((name) => name.includes("unfinished"))).toEqual([]);
    const csv = readFileSync(join(out, "entries.csv"), "utf8").trim().split("\n");
    expect(csv.slice(1).every((line) => line.includes(",li@example.com,"))).toBe(true);
  });

  it("says beforehand what does not do", async () => {
    await open("3");
    mkdirSync(join(site.dir, "there"));
    const bad = join(site.dir, "bad.pub");
    writeFileSync(bad, "# police\nage1nokey\n");
    const run = async (...words: string[]): Promise<string> =>
      (await as("ann", "request", "export", "--case", "3", ...words)).stderr;
    expect(await run("--out", "there")).toMatch(/--out .*there: is there already/);
    expect(await run("--out", "no/such/place")).toMatch(/there is no directory .*no\/such/);
    expect(await run("--out", "three", "--encrypt-to", bad)).toMatch(/bad\.pub:2: no public key of age/);
    expect(existsSync(join(site.dir, "three"))).toBe(false);
    expect((await as("eve", "request", "export", "--case", "3", "--out", "three")).stderr).toMatch(/for auditors/);
  });
});

describe("consentry ledger clock", { timeout: 30_000 }, () => {
  it("says that a clock is not believed until somebody confirms it", async () => {
    expect((await as("eve", "clock", "show")).stdout).toMatch(/: the clock is believed; no day is due by it\n$/);
    const { dataDir, node } = site;
    const store = await openStore("embedded:", { dataDir, timeoutMs: 2_000, clock: systemClock });
    const guard = createClockGuard(store.tables, node, () => 7);
    await guard.confirm({ nowMs: Date.now() - 100 * 86_400_000, uptimeMs: 0, bootId: "of another start" });
    await store.close();
    const doubted = await as("eve", "clock", "show");
    expect(doubted.code).toBe(1);
    expect(doubted.stdout).toMatch(/: the clock went forward 100 days too far: nothing is deleted by it; /);
    expect((await as("eve", "clock", "confirm")).stderr).toMatch(/this is for auditors/);
    expect((await as("ann", "clock", "confirm")).stdout).toMatch(/: confirmed by ann; no day is due by it\n$/);
    expect((await as("eve", "clock", "show")).code).toBe(0);
    expect((await as("ann", "find", "--since", "1h")).stdout).toMatch(
      /clock-confirmed .*jumpDays 100, due 0 {2}by ann/,
    );
  });
});

describe("consentry ledger verify", { timeout: 30_000 }, () => {
  it("exits with 0 while all is well, and with 1 and the place when it is not", async () => {
    const well = await as("eve", "verify");
    expect([well.code, well.stdout.split("\n")[0]]).toEqual([0, "3 sealed days, 18 entries: all as they were sealed"]);
    const date = new Date(site.todayMs - 2 * 86_400_000).toISOString().slice(0, 10);
    const path = join(site.root, `date=${date}`, `node=${site.node}`, "day.parquet");
    const bytes = readFileSync(path);
    bytes[200] = (bytes[200] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    const ran = await as("eve", "verify");
    expect(ran.code).toBe(1);
    expect(ran.stdout).toMatch(new RegExp(`^${date}  node ${site.node}  day\\.parquet was changed\n`));
    const { troubles } = JSON.parse((await as("eve", "verify", "--json")).stdout);
    expect(troubles[0]).toEqual({ node: site.node, date, says: "day.parquet was changed" });
  });
});
