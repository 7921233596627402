import { copyFileSync, cpSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { createIds } from "../../../src/kit/ids.ts";
import { anchorLine, readAnchors, readSeal, writeSeal } from "../../../src/ledger/seal.ts";
import { type Verification, type Witnesses, witnessesOf } from "../../../src/ledger/verify.ts";
import { openDatabase } from "../../../src/stores/duckdb/database.ts";
import { verifyArchive } from "../../../src/stores/duckdb/verify.ts";
import {
  DAY_MS,
  HOUR_MS,
  mailEntries,
  openTestLedger,
  START_MS,
  type TestLedger,
  testKey,
} from "../../helpers/archive.ts";
import { tempDir } from "../../helpers/temp.ts";

/** Each look opens a database. */
const SLOW = { timeout: 60_000 };
const DAYS = 4;
const PER_DAY = 300;
const key = testKey();
let made: { root: string; witnesses: Witnesses; ids: readonly string[][]; anchors: readonly string[] };

/** A ledger of four sealed days, made once; every test damages a copy. */
beforeAll(async () => {
  const root = tempDir();
  made = await makeLedger(root);
}, 60_000);

async function makeLedger(root: string) {
  const clock = { nowMs: START_MS, now: () => clock.nowMs };
  const newIds = createIds(clock, Buffer.alloc(32, 9));
  const ledger = await openTestLedgerOutside(root);
  const ids: string[][] = [];
  for (let day = 0; day < DAYS; day += 1) {
    const times = Array.from({ length: PER_DAY }, (_, index) => START_MS + day * DAY_MS + index * 60_000);
    const entries = mailEntries(times).map((entry) => {
      clock.nowMs = entry.at;
      return { ...entry, id: newIds.next() };
    });
    ids.push(entries.map(({ id }) => id));
    await ledger.journal.append(entries);
  }
  ledger.pass(DAYS * DAY_MS + 2 * HOUR_MS);
  await ledger.keep();
  const sealed = await ledger.archive.sealed();
  const witnesses = await witnessesOf((await ledger.reader()).find({}));
  await ledger.close();
  return { root, ids, anchors: sealed.map(anchorLine), witnesses: { ...witnesses, keys: [key.publicPem] } };
}

const openTestLedgerOutside = (root: string): Promise<TestLedger> => openTestLedger({ root, key, closeAtEnd: false });

const dayOf = (index: number): string => new Date(START_MS + index * DAY_MS).toISOString().slice(0, 10);

/** A copy of the archive to do harm to. */
function copy() {
  const root = join(tempDir(), "ledger");
  cpSync(made.root, root, { recursive: true });
  const dir = (day: number): string => join(root, `date=${dayOf(day)}`, "node=relay-1");
  const file = (day: number, name: string): string => join(dir(day), name);
  const verify = (more: Partial<Witnesses> = {}): Promise<Verification> =>
    verifyArchive({
      ...made.witnesses,
      ...more,
      root,
      node: "relay-1",
      tempDir: join(root, "..", "work"),
      memoryMb: 300,
      threads: 2,
    });
  /** Everything that is wrong, as "day entry says". */
  const troubles = async (more?: Partial<Witnesses>): Promise<string[]> =>
    (await verify(more)).troubles.map(({ date, entry, says }) => [date, entry, says].filter(Boolean).join(" "));
  /** Changes the rows of a day as somebody with DuckDB could. */
  const rewrite = async (day: number, select: string): Promise<void> => {
    const database = await openDatabase({ tempDir: join(root, "..", "work"), memoryMb: 300, threads: 1 });
    const path = file(day, "day.parquet");
    await database.run(
      `COPY (${select.replaceAll("ROWS", `'${path}'`)}) TO '${path}.new' (FORMAT parquet, COMPRESSION zstd)`,
    );
    await database.close();
    renameSync(`${path}.new`, path);
  };
  return { root, dir, file, verify, troubles, rewrite };
}

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] ?? 0) ^ 0x55;
  writeFileSync(path, bytes);
}

const idOf = (day: number, index: number): string => made.ids[day]?.[index] ?? "";
/** The row of an entry, for SQL. */
const IS = (day: number, index: number): string => `ledger_id(id, epoch_ms("at")) = '${idOf(day, index)}'`;

describe("a ledger that nobody touched", SLOW, () => {
  it("is as it was sealed", async () => {
    const { troubles, notes, tips, ...rest } = await copy().verify();
    expect([troubles, notes]).toEqual([[], []]);
    expect(rest).toEqual({ days: DAYS, entries: DAYS * PER_DAY, open: [] });
    expect(tips).toMatchObject([{ node: "relay-1", seq: DAYS, date: dayOf(DAYS - 1), key: key.fingerprint }]);
  });

  it("is so without any witness, and then says where the key is from", async () => {
    const { troubles, notes } = await copy().verify({ keys: [], anchors: [], deletions: new Map() });
    expect(troubles).toEqual([]);
    expect(notes).toEqual([
      expect.stringContaining(`key ${key.fingerprint} of node relay-1 is known from the archive alone`),
    ]);
  });
});

describe("one byte that is another", SLOW, () => {
  it.each(["day.parquet", "day.rows", "day.index"])(
    "anywhere in %s names its day and the file",
    async (name) => {
      const { file, troubles } = copy();
      const path = file(1, name);
      const whole = readFileSync(path);
      for (let part = 0; part < 12; part += 1) {
        writeFileSync(path, whole);
        flip(path, Math.floor(((part + 0.5) * whole.length) / 12));
        const found = await troubles();
        expect(found[0]).toBe(`${dayOf(1)} ${name} was changed`);
        expect(found.filter((each) => !each.startsWith(dayOf(1)))).toEqual([]);
      }
    },
    30_000,
  );

  it("in the data tells what it did to the entries: changed, gone, or not to be read any more", async () => {
    const { file, troubles } = copy();
    const path = file(1, "day.parquet");
    const whole = readFileSync(path);
    const said: string[] = [];
    for (let part = 0; part < 16; part += 1) {
      writeFileSync(path, whole);
      flip(path, Math.floor(((part + 0.5) * whole.length) / 16));
      const [, ...rest] = await troubles();
      expect(rest.length).toBeGreaterThan(0);
      said.push(...rest);
    }
    expect(said).toContainEqual(expect.stringMatching(/ columns? \w+.* cannot be read any more in 300 entries, /));
  });

  it("and a file that is cut off tell what is left of the entries", async () => {
    const { file, troubles } = copy();
    writeFileSync(file(1, "day.parquet"), readFileSync(file(1, "day.parquet")).subarray(0, 2_000));
    expect(await troubles()).toEqual([
      `${dayOf(1)} day.parquet was changed`,
      expect.stringMatching(/ columns .* cannot be read any more in 300 entries, /),
    ]);
    writeFileSync(file(1, "day.parquet"), "");
    expect(await troubles()).toEqual([
      `${dayOf(1)} day.parquet was changed`,
      `${dayOf(1)} none of its ${PER_DAY} entries can be read any more`,
    ]);
  });

  it("in an encrypted day is found without its key, but not what it did", async () => {
    const ledger = await openTestLedger({ key, archiveKey: Buffer.alloc(32, 4) });
    await ledger.journal.append(mailEntries([START_MS, START_MS + 1]));
    ledger.pass(DAY_MS + 2 * HOUR_MS);
    await ledger.keep();
    const path = join(ledger.root, `date=${dayOf(0)}`, "node=relay-1", "day.parquet");
    flip(path, 400);
    const look = async (more: { archiveKey?: Uint8Array }): Promise<string[]> => {
      const options = { anchors: [], deletions: new Map<string, number>(), keys: [key.publicPem], root: ledger.root };
      return (await verifyArchive({ ...options, ...more, tempDir: tempDir(), memoryMb: 300 })).troubles.map(
        ({ says }) => says,
      );
    };
    expect(await look({})).toEqual([
      "day.parquet was changed",
      expect.stringMatching(/cannot be told: .* is encrypted: /),
    ]);
    const [changed, ...what] = await look({ archiveKey: Buffer.alloc(32, 4) });
    expect(changed).toBe("day.parquet was changed");
    expect(what.join()).toMatch(/can(not)? be read (any more|by any engine)/);
  });

  it("anywhere in a seal names its day", async () => {
    const { file, troubles } = copy();
    const path = file(2, "day.seal");
    const whole = readFileSync(path);
    for (let part = 0; part < 12; part += 1) {
      writeFileSync(path, whole);
      flip(path, Math.floor(((part + 0.5) * whole.length) / 12));
      expect(await troubles()).toContainEqual(expect.stringMatching(new RegExp(`^${dayOf(2)} (its seal|is missing)`)));
    }
  });
});

describe("entries", SLOW, () => {
  it("that were deleted are named", async () => {
    const { rewrite, troubles } = copy();
    await rewrite(1, `SELECT * FROM ROWS WHERE NOT ${IS(1, 7)}`);
    expect(await troubles()).toEqual([`${dayOf(1)} day.parquet was changed`, `${dayOf(1)} ${idOf(1, 7)} is missing`]);
  });

  it("that were changed are named, or the 256 they are among", async () => {
    const { rewrite, troubles } = copy();
    await rewrite(
      1,
      `SELECT * REPLACE (CASE WHEN ${IS(1, 7)} THEN 'x@y.example' ELSE recipient END AS recipient) FROM ROWS`,
    );
    const found = await troubles();
    expect(found).toHaveLength(2);
    expect(found[1]).toMatch(/was changed$/);
    expect(found[1]).toContain(found[1]?.includes("between") ? idOf(1, 0) : idOf(1, 7));
  });

  it("that were added are named", async () => {
    const { rewrite, troubles } = copy();
    await rewrite(1, `SELECT * FROM ROWS UNION ALL SELECT * REPLACE ('0.ZZZZZ.0' AS id) FROM ROWS WHERE ${IS(1, 7)}`);
    expect(await troubles()).toEqual([
      `${dayOf(1)} day.parquet was changed`,
      expect.stringMatching(new RegExp(`^${dayOf(1)} \\w{10}ZZZZZ0000 was added$`)),
    ]);
  });

  it("in another order are said to be all there", async () => {
    const { rewrite, troubles } = copy();
    await rewrite(1, `SELECT * FROM ROWS ORDER BY recipient`);
    expect(await troubles()).toEqual([
      `${dayOf(1)} day.parquet was changed`,
      `${dayOf(1)} its entries are as they were sealed: what differs is how they are written`,
    ]);
  });

  it("of another day are not taken for this day's", async () => {
    const { file, troubles } = copy();
    copyFileSync(file(2, "day.parquet"), file(1, "day.parquet"));
    expect(await troubles()).toEqual([
      `${dayOf(1)} day.parquet was changed`,
      `${dayOf(1)} holds none of its ${PER_DAY} entries, but ${PER_DAY} others`,
    ]);
  });

  it("in a file that nobody sealed are said to be added", async () => {
    const { file, troubles } = copy();
    copyFileSync(file(2, "day.parquet"), file(1, "more.parquet"));
    expect(await troubles()).toEqual([`${dayOf(1)} more.parquet was added: no seal speaks of it`]);
  });
});

describe("days", SLOW, () => {
  it("that were swapped are named both", async () => {
    const { root, troubles } = copy();
    const [one, two] = [1, 2].map((day) => join(root, `date=${dayOf(day)}`)) as [string, string];
    renameSync(one, `${one}.away`);
    renameSync(two, one);
    renameSync(`${one}.away`, two);
    const found = await troubles();
    expect(found).toContain(`${dayOf(1)} here lies day ${dayOf(2)} of node relay-1: it was moved or swapped`);
    expect(found).toContain(`${dayOf(2)} here lies day ${dayOf(1)} of node relay-1: it was moved or swapped`);
  });

  it.each([0, 1, DAYS - 1])("of which number %i is missing are named", async (day) => {
    const { root, troubles } = copy();
    rmSync(join(root, `date=${dayOf(day)}`), { recursive: true });
    expect(await troubles()).toContain(`${dayOf(day)} is missing: seal ${day + 1} is not there, and nobody deleted it`);
  });

  it("that are missing at the end, from the list too, are known from the ledger's entries or an anchor", async () => {
    const { root, troubles } = copy();
    rmSync(join(root, `date=${dayOf(DAYS - 1)}`), { recursive: true });
    const list = join(root, "seals", "relay-1.jsonl");
    const lines = readFileSync(list, "utf8")
      .split("\n")
      .filter((line) => line !== "");
    writeFileSync(list, `${lines.slice(0, -1).join("\n")}\n`);
    const expected = [`${dayOf(DAYS - 1)} is missing: seal ${DAYS} is not there, and nobody deleted it`];
    expect(await troubles()).toEqual(expected);
    const anchors = readAnchors(made.anchors.join("\n"));
    expect(await troubles({ anchors })).toEqual(expected);
    expect(await troubles({ anchors: [] }), "nothing tells").toEqual([]);
  });

  it("that somebody only says to have been deleted are named", async () => {
    const { root, troubles } = copy();
    const seal = readSeal(readFileSync(join(root, `date=${dayOf(0)}`, "node=relay-1", "day.seal"), "utf8"));
    rmSync(join(root, `date=${dayOf(0)}`), { recursive: true });
    const removed = {
      seq: 1,
      date: dayOf(0),
      volume: "day",
      digest: seal?.digest,
      entries: 1,
      removedAt: "2027-02-01T00:00:00Z",
    };
    writeFileSync(join(root, "seals", "relay-1.jsonl"), `${JSON.stringify({ removed })}\n`, { flag: "a" });
    expect(await troubles()).toEqual([
      `${dayOf(0)} is gone: it is said to be deleted, but neither a seal nor an entry says so`,
    ]);
    const deletions = new Map([[seal?.digest ?? "", 60]]);
    expect(await troubles({ deletions })).toEqual([]);
    expect(await troubles({ deletions: new Map([[seal?.digest ?? "", 100]]) })).toEqual([
      `${dayOf(0)} was deleted before its time, at 2027-02-01T00:00:00Z`,
    ]);
  });

  it("that were made anew with the right key do not fit what was said of them", async () => {
    const { file, troubles } = copy();
    const path = file(2, "day.seal");
    const read = readSeal(readFileSync(path, "utf8"));
    if (!read) throw new Error("no seal");
    writeFileSync(path, writeSeal({ ...read.seal, sealedAt: "2026-12-01T00:00:00.000Z" }, key));
    expect(await troubles()).toEqual([
      `${dayOf(3)} seal 4 does not follow seal 3: the chain is broken`,
      `${dayOf(2)} seal 3 is another one than the anchor says: it was made anew`,
    ]);
  });

  it("that were sealed by somebody else are named", async () => {
    const { file, troubles } = copy();
    const path = file(2, "day.seal");
    const read = readSeal(readFileSync(path, "utf8"));
    const other = testKey();
    if (!read) throw new Error("no seal");
    writeFileSync(path, writeSeal({ ...read.seal, key: other.fingerprint }, other));
    expect(await troubles()).toContain(
      `${dayOf(2)} its seal is signed with key ${other.fingerprint}, which nobody gave`,
    );
    expect(existsSync(path)).toBe(true);
  });

  it("that got entries after they were sealed are mentioned, before and after those are sealed", async () => {
    const ledger = await openTestLedger({ key });
    const verify = async () => {
      const witnesses = await witnessesOf((await ledger.reader()).find({}));
      const { root, node } = ledger;
      return verifyArchive({
        ...witnesses,
        keys: [key.publicPem],
        root,
        node,
        tempDir: tempDir(),
        memoryMb: 300,
        threads: 1,
      });
    };
    await ledger.journal.append(mailEntries([START_MS]));
    ledger.pass(DAY_MS + 2 * HOUR_MS);
    await ledger.keep();
    await ledger.journal.append(mailEntries([START_MS + 5]));
    await expect(ledger.keep({ announced: BROKEN })).rejects.toThrow("crash");
    expect(await verify()).toMatchObject({
      troubles: [],
      notes: [expect.stringMatching(/^day 2026-11-01 of node relay-1 got 1 more entries after it was sealed: late-1/)],
    });
    const dir = join(ledger.root, "date=2026-11-01", "node=relay-1");
    copyFileSync(join(dir, "day.parquet"), join(dir, "09.parquet"));
    writeFileSync(
      join(dir, "open.json"),
      JSON.stringify({ schema: 1, parts: [{ file: "09.parquet", rows: 1, taken: {} }] }),
    );
    expect((await verify()).notes).toContain(
      "day 2026-11-01 of node relay-1 has entries that came after it was sealed and are in no seal yet",
    );
  });
});

const BROKEN = { upTo: () => Promise.reject(new Error("crash")), advance: async () => undefined };
