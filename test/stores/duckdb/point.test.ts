/** Look-ups of an address or IP read a volume by its index, without DuckDB; without an index DuckDB reads all of it. Both have to find the same. */
import { randomBytes } from "node:crypto";
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Entry } from "../../../src/ledger/entry.ts";
import type { Journal, Search } from "../../../src/ledger/journal.ts";
import { openReader } from "../../../src/stores/duckdb/reader.ts";
import { matcher } from "../../../src/stores/search.ts";
import { collect } from "../../contract/tables.ts";
import { DAY_MS, HOUR_MS, openTestLedger, START_MS, type TestLedger } from "../../helpers/archive.ts";
import { tempDir } from "../../helpers/temp.ts";

const SLOW = { timeout: 90_000 };

/** The same numbers at every run. */
function seeded(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

const EVENTS = ["received", "handed-over", "refused", "deferred", "looked-up"] as const;
const ODD = ["Người.Nhận@ví-dụ.vn", "ÄNNE@Ä.example", "", "x@x.example".repeat(30)];

function entriesOf(seed: number, count: number, spanMs: number): Entry[] {
  const below = seeded(seed);
  const address = (name: string, n: number): string => {
    const plain = `${name}${below(n)}@${below(9)}.example`;
    return below(40) === 0 ? (ODD[below(ODD.length)] ?? "") : below(9) === 0 ? plain.toUpperCase() : plain;
  };
  const maybe = <K extends keyof Entry>(key: K, value: Entry[K]): Partial<Entry> =>
    below(4) === 0 ? {} : { [key]: value };
  return Array.from({ length: count }, (_, index) => {
    const at = START_MS + Math.floor((index * spanMs) / count);
    return {
      id: `E${seed}-${String(below(9))}-${index}`,
      at,
      event: EVENTS[below(EVENTS.length)] ?? "received",
      ...maybe("mailId", `M${index}`),
      ...maybe("sender", address("s", 300)),
      ...maybe("recipient", address("r", 40)),
      ...maybe("clientIp", below(5) === 0 ? `2001:db8::${below(99).toString(16)}` : `192.0.2.${below(200)}`),
      ...maybe("clientPort", below(65_536)),
      ...maybe("messageId", `<${index}.${below(1e9)}@${below(9)}.example>`),
      ...maybe("sizeBytes", below(2 ** 31) * 3),
      ...maybe("verdict", below(2) === 0 ? "accept" : "reject"),
      ...maybe(
        "rules",
        Array.from({ length: below(4) }, () => `group/rule-${below(6)}`),
      ),
      ...maybe("articles", [`art. ${below(5)}`]),
      ...maybe("reply", `250 {ok} ${below(1e6)} M${index}`),
      ...maybe("evidence", { helo: `h${below(99)}`, seen: below(2) === 0 }),
    };
  });
}

const SEARCHES: readonly Search[] = [
  { recipient: "r3@3.example" },
  { recipient: "R7@7.EXAMPLE", sinceMs: START_MS + 6 * HOUR_MS, untilMs: START_MS + DAY_MS },
  { sender: "s5@1.example" },
  { sender: "s5@1.example", recipient: "r3@3.example" },
  { address: "người.nhận@ví-dụ.vn" },
  { address: "änne@ä.EXAMPLE", verdict: "accept" },
  { recipient: ODD[3] ?? "" },
  { recipient: "nobody@nowhere.example" },
  { ip: "192.0.2.7" },
  { ip: "2001:DB8:0::1a" },
  { ip: "203.0.113.1" },
  { ip: "192.0.2.9", rule: "group/rule-2" },
  { ip: "192.0.2.10", event: "refused" },
  { recipient: "r1@1.example", domain: "2.example" },
  { recipient: "r2@2.example", article: "ART. 3" },
];

const byTime = (a: Entry, b: Entry): number => a.at - b.at || (a.id < b.id ? -1 : 1);

const EMPTY: Journal = {
  append: async () => undefined,
  find: async function* () {},
  sources: async () => [],
  closedHours: async () => [],
  forget: async () => undefined,
  close: async () => undefined,
};

interface Made {
  readonly ledgers: readonly TestLedger[];
  readonly entries: readonly Entry[];
  readonly archiveKey: Uint8Array | undefined;
}

/** Two nodes, two sealed days with something late, hour files of a third, and entries that are in no archive yet. */
async function makeLedgers(archiveKey: Uint8Array | undefined, perNode: number): Promise<Made> {
  const key = archiveKey && { archiveKey };
  const one = await openTestLedger({ ...key });
  const two = await openTestLedger({ root: one.root, node: "relay-2", key: one.key, ...key });
  const all: Entry[] = [];
  for (const [index, ledger] of [one, two].entries()) {
    const entries = entriesOf(index + 1, perNode, 2.5 * DAY_MS);
    const late = entriesOf(index + 11, 60, DAY_MS);
    await ledger.journal.append(entries);
    ledger.pass(2 * DAY_MS + 12 * HOUR_MS + 30 * 60_000);
    await ledger.keep();
    await ledger.journal.append(late);
    await ledger.keep();
    all.push(...entries, ...late);
  }
  const hot = entriesOf(21, 200, DAY_MS / 4).map((entry) => ({ ...entry, at: entry.at + 3 * DAY_MS }));
  await one.journal.append(hot);
  return { ledgers: [one, two], entries: [...all, ...hot].sort(byTime), archiveKey };
}

const optionsOf = ({ archiveKey }: Made) => ({
  tempDir: tempDir(),
  memoryMb: 300,
  threads: 2,
  ...(archiveKey && { archiveKey }),
});

/** The same archive without the indexes. */
function withoutIndexes(root: string): string {
  const copy = join(tempDir(), "ledger");
  cpSync(root, copy, { recursive: true });
  for (const name of readdirSync(copy, { recursive: true, encoding: "utf8" })) {
    if (name.endsWith(".index")) rmSync(join(copy, name));
  }
  return copy;
}

describe.each([
  ["in the clear", false],
  ["encrypted", true],
])("look-ups by the index, %s", SLOW, (_, encrypted) => {
  it("find the very entries that a scan finds, over nodes, late volumes, open hours and the hot ledger", async () => {
    const made = await makeLedgers(encrypted ? randomBytes(32) : undefined, 4_000);
    const [one] = made.ledgers;
    if (!one) throw new Error("no ledger");
    const own = (entry: Entry): boolean => entry.event !== "day-sealed";
    const indexed = await openReader({ ...optionsOf(made), root: one.root, journal: one.journal });
    const scanned = await openReader({ ...optionsOf(made), root: withoutIndexes(one.root), journal: one.journal });
    for (const search of SEARCHES) {
      const name = JSON.stringify(search);
      const found = (await collect(indexed.find(search))).filter(own);
      expect(found, name).toEqual(made.entries.filter(matcher(search)));
      expect((await collect(scanned.find(search))).filter(own), name).toEqual(found);
      expect(await indexed.count(search), name).toEqual(await scanned.count(search));
    }
    expect((await collect(indexed.find({ ip: "192.0.2.7" }, { limit: 3 }))).length).toBe(3);
    const paths = [indexed, scanned].map((reader) => ({ reader, path: join(tempDir(), "found.csv") }));
    for (const { reader, path } of paths) await reader.write({ recipient: "r3@3.example" }, path, "csv");
    const [a = "", b = ""] = paths.map(({ path }) => readFileSync(path, "utf8"));
    expect(a.split("\n").length).toBeGreaterThan(3);
    expect(a).toBe(b);
    await indexed.close();
    await scanned.close();
  });
});

describe("an index", SLOW, () => {
  it("that is damaged costs time, and no entry", async () => {
    const made = await makeLedgers(undefined, 500);
    const [one] = made.ledgers;
    if (!one) throw new Error("no ledger");
    const root = join(tempDir(), "ledger");
    cpSync(one.root, root, { recursive: true });
    const indexes = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".index"));
    expect(indexes.length).toBe(6);
    indexes.forEach((name, index) => {
      const path = join(root, name);
      const bytes = readFileSync(path);
      writeFileSync(path, index % 2 === 0 ? bytes.subarray(0, bytes.length / 3) : Buffer.alloc(bytes.length));
    });
    const reader = await openReader({ ...optionsOf(made), root, journal: EMPTY });
    const search = { recipient: "r3@3.example", untilMs: START_MS + 2 * DAY_MS };
    expect(await collect(reader.find(search))).toEqual(made.entries.filter(matcher(search)));
    await reader.close();
  });

  it("makes a look-up do without DuckDB", async () => {
    const made = await makeLedgers(undefined, 300);
    const [one] = made.ledgers;
    if (!one) throw new Error("no ledger");
    const options = { ...optionsOf(made), root: one.root, journal: EMPTY };
    const reader = await openReader(options);
    const search = { ip: "192.0.2.7", untilMs: START_MS + 2 * DAY_MS };
    expect(await collect(reader.find(search))).toEqual(made.entries.filter(matcher(search)));
    expect(readdirSync(options.tempDir)).toEqual([]);
    await collect(reader.find({ domain: "1.example" }));
    expect(readdirSync(options.tempDir)).not.toEqual([]);
    await reader.close();
  });
});
