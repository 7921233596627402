import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { loginName } from "../../src/commands/who.ts";
import type { Entry } from "../../src/ledger/entry.ts";
import { openJournal } from "../../src/stores/hourlog/journal.ts";
import { createLedgerSite, type LedgerSite } from "../helpers/ledger-site.ts";

const DAYS = 3;
/** A refusal that is in the journal yet; all else is archived. */
let fresh: Entry;
/** Written while the clock was ahead. */
let ahead: Entry;
let site: LedgerSite;
let all: readonly Entry[];
beforeAll(async () => {
  site = await createLedgerSite("", DAYS);
  fresh = {
    id: "01FRESH",
    at: Date.now() - 1,
    event: "refused",
    mailId: "01FRESHMAIL",
    sender: "Other@Else.example",
    recipient: "li@example.com",
    clientIp: "198.51.100.99",
    verdict: "reject",
    rules: ["~envelope/helo"],
    articles: ["Order 38 (CN 2006) art. 13(1)"],
    client: "shop",
  };
  const atMs = Date.now() + 2 * 3_600_000;
  ahead = { id: "01AHEAD", at: atMs, event: "received", recipient: "ahead@else.example", clientIp: "203.0.113.7" };
  const journal = await openJournal(join(site.dataDir, "ledger"));
  await journal.append([fresh, ahead]);
  await journal.close();
  all = [...site.entries, fresh];
});

async function ids(...words: string[]): Promise<string[]> {
  const { stdout, stderr, code } = await site.run(["ledger", "find", "--json", ...words]);
  expect([code, stderr]).toEqual([0, stdout === "" ? "no entry matches\n" : ""]);
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => (JSON.parse(line) as Entry).id);
}

const first = (): Entry => site.entries[0] as Entry;
const when = (entry: Entry): string => new Date(entry.at).toISOString();

describe("consentry ledger find", () => {
  it.each<[string, () => string[], (entry: Entry) => boolean]>([
    ["a recipient", () => ["--to", "LI@example.com"], (entry) => entry.recipient === "li@example.com"],
    ["a sender", () => ["--from", "other@else.example"], (entry) => entry === fresh],
    ["an address on either side", () => ["--address", "other@else.example"], (entry) => entry === fresh],
    ["a domain", () => ["--domain", "example.vn"], (entry) => entry.recipient === "an@example.vn"],
    ["a network", () => ["--ip", "198.51.100.0/24"], () => true],
    ["a client address", () => ["--ip", "198.51.100.7"], (entry) => entry !== fresh],
    ["an id of a mail", () => ["--id", first().mailId ?? ""], (entry) => entry.mailId === first().mailId],
    ["an id of an entry", () => ["--id", first().id.toLowerCase()], (entry) => entry === first()],
    ["a Message-ID", () => ["--message-id", first().messageId ?? ""], (entry) => entry.messageId === first().messageId],
    ["an event and a verdict", () => ["--event", "refused", "--verdict", "reject"], (entry) => entry === fresh],
    ["a rule", () => ["--rule", "envelope/helo"], (entry) => entry === fresh],
    ["an article", () => ["--article", "ART. 13"], (entry) => entry === fresh],
    ["a client", () => ["--client", "shop"], (entry) => entry === fresh],
    [
      "a span of time",
      () => ["--ip", "198.51.100.7", "--since", when(first()), "--until", new Date(first().at + 1).toISOString()],
      (entry) => entry.at === first().at,
    ],
  ])("finds by %s, archived or not, oldest first", async (_, words, wanted) => {
    expect(await ids(...words())).toEqual(all.filter(wanted).map(({ id }) => id));
  });

  it("finds what was written while the clock was ahead, unless it is told an end; a day is one", async () => {
    const to = ["--to", "ahead@else.example"];
    expect(await ids(...to)).toEqual([ahead.id]);
    expect(await ids(...to, "--since", "1m")).toEqual([ahead.id]);
    expect(await ids(...to, "--until", new Date().toISOString())).toEqual([]);
    expect(await site.json(["ledger", "find", "--count", ...to])).toMatchObject([{ event: "received", entries: 1 }]);
  });

  it("does not find itself, however it shows what it finds", async () => {
    const looks = ["ledger", "find", "--event", "looked-up"];
    const before = (await site.run([...looks, "--json"])).stdout.split("\n").length - 1;
    const csv = (await site.run([...looks, "--csv", "-"])).stdout.trim().split("\n").length - 1;
    const counted = (await site.json([...looks, "--count"])) as { entries: number }[];
    expect([csv, counted.reduce((sum, { entries }) => sum + entries, 0)]).toEqual([before + 1, before + 2]);
  });

  it("counts by day, event and verdict", async () => {
    const day = when(first()).slice(0, 10);
    const counts = (await site.json(["ledger", "find", "--count", "--address", "li@example.com"])) as object[];
    expect(counts).toHaveLength(DAYS * 2 + 1);
    expect(counts).toContainEqual({ date: day, event: "received", verdict: "accept", entries: 1 });
    const shown = await site.run(["ledger", "find", "--count", "--until", day, "--event", "handed-over"]);
    expect(shown.stdout).toBe(`day         event        verdict  entries\n${day}  handed-over  accept   3\n`);
  });

  it("writes CSV and Parquet for nobody else's eyes, and over no file", async () => {
    const path = join(site.dir, "found.csv");
    const words = ["ledger", "find", "--to", "li@example.com", "--csv"];
    expect(await site.run([...words, path])).toMatchObject({ code: 0, stderr: `${path}: ${DAYS * 2 + 1} entries\n` });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const lines = readFileSync(path, "utf8").trim().split("\n");
    expect(lines[0]).toMatch(/^at,id,event,mail_id,/);
    expect(lines).toHaveLength(DAYS * 2 + 2);
    expect(lines[1]).toMatch(/^\d{4}-\d\d-\d\dT00:00:00\.000Z,/);
    expect(lines.at(-1)).toContain("01FRESH,refused,01FRESHMAIL");
    expect((await site.run([...words, "-"])).stdout).toBe(readFileSync(path, "utf8"));
    expect((await site.run([...words, path])).stderr).toBe(`consentry: ${path} is there already\n`);
    const parquet = join(site.dir, "found.parquet");
    await site.run(["ledger", "find", "--to", "li@example.com", "--parquet", parquet]);
    expect(readFileSync(parquet).toString("latin1", 0, 4)).toBe("PAR1");
  });

  it("writes down who looked, for what and how much he saw", async () => {
    await ids("--to", "wang@example.com", "--case", "2026-9");
    const found = await site.run(["ledger", "find", "--event", "looked-up", "--json"]);
    const look = JSON.parse(found.stdout.trim().split("\n").at(-1) ?? "") as Entry;
    expect(look).toMatchObject({ actor: loginName(), evidence: { to: "wang@example.com", case: "2026-9" } });
    const ended = await site.run(["ledger", "find", "--event", "look-up-ended"]);
    expect(ended.stdout).toContain(`lookUp ${look.evidence?.lookUp}, hits ${DAYS * 2}`);
  });

  it.each([
    [["--csv", "a.csv", "--count"], "one of --csv and --count, please"],
    [["--parquet", "-"], "a Parquet file cannot be written to stdout"],
    [["--csv", "a.csv", "--limit", "3"], "--limit: only for what is shown entry by entry"],
    [["--limit", "0"], "--limit: expected a whole number above 0"],
    [["--event", "nothing"], "Argument: event"],
  ])("refuses %j as misuse", async (words, says) => {
    const ran = await site.run(["ledger", "find", ...words]);
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain(says);
  });
});
