import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Unavailable } from "../../../src/kit/trouble.ts";
import { openReader } from "../../../src/stores/duckdb/reader.ts";
import { collect } from "../../contract/tables.ts";
import { DAY_MS, HOUR_MS, mailEntries, openTestLedger, START_MS, type TestLedger } from "../../helpers/archive.ts";

const ENTRIES = mailEntries(Array.from({ length: 300 }, (_, index) => START_MS + index * 60_000));
const SEARCH = { untilMs: START_MS + DAY_MS };

async function archived(ledger: TestLedger, days: number): Promise<void> {
  await ledger.journal.append(ENTRIES);
  ledger.pass(6 * HOUR_MS);
  await ledger.keep();
  if (days > 0) {
    ledger.pass(days * DAY_MS);
    await ledger.keep();
  }
}

const files = (ledger: TestLedger): string[] => {
  const dir = join(ledger.root, "date=2026-11-01", "node=relay-1");
  return readdirSync(dir).map((name) => join(dir, name));
};

describe.each([
  ["hour files", 0],
  ["a sealed day", 1],
])("an archive with a key: %s", (_, days) => {
  it("give back every entry, by any way of asking", async () => {
    const ledger = await openTestLedger({ archiveKey: randomBytes(32) });
    await archived(ledger, days);
    expect(await ledger.find(SEARCH)).toEqual(ENTRIES);
    for (const search of [{ recipient: "R1@local.example" }, { ip: "192.0.2.7" }, { sender: "s3@shop.example" }]) {
      const expected = ENTRIES.filter(
        ({ recipient, clientIp, sender }) =>
          recipient === search.recipient?.toLowerCase() || clientIp === search.ip || sender === search.sender,
      );
      expect(await ledger.find({ ...SEARCH, ...search })).toEqual(expected);
    }
    const counts = await (await ledger.reader()).count({ ...SEARCH, domain: "local.example" });
    expect(counts).toEqual([{ date: "2026-11-01", event: "received", verdict: "accept", entries: ENTRIES.length }]);
  });

  it("hold nothing that could be read without it", async () => {
    const ledger = await openTestLedger({ archiveKey: randomBytes(32) });
    await archived(ledger, days);
    for (const path of files(ledger)) {
      const content = readFileSync(path);
      expect(content.toString("latin1"), path).not.toMatch(/shop\.example|local\.example|192\.0\.2/);
      if (path.endsWith(".parquet")) expect(content.toString("latin1", 0, 4)).toBe("PARE");
    }
    for (const archiveKey of [undefined, randomBytes(32)]) {
      const options = {
        root: ledger.root,
        journal: undefined,
        tempDir: join(ledger.root, "..", "work"),
        memoryMb: 100,
      };
      const reader = await openReader({ ...options, ...(archiveKey && { archiveKey }) });
      await expect(collect(reader.find(SEARCH))).rejects.toBeInstanceOf(Unavailable);
      await reader.close();
    }
  });
});

describe("a key for the archive", () => {
  it("can come when there are days without it", async () => {
    const plain = await openTestLedger({ closeAtEnd: false });
    await archived(plain, 1);
    await plain.close();
    const keyed = await openTestLedger({
      dir: join(plain.root, ".."),
      key: plain.key,
      archiveKey: randomBytes(32),
    });
    const later = mailEntries([START_MS + DAY_MS, START_MS + DAY_MS + 1]);
    keyed.pass(DAY_MS);
    await keyed.journal.append(later);
    keyed.pass(3 * HOUR_MS);
    await keyed.keep();
    expect(await keyed.find({ untilMs: START_MS + DAY_MS + 2 })).toEqual([...ENTRIES, ...later]);
  });

  it("is never used twice with one nonce", async () => {
    const ledger = await openTestLedger({ archiveKey: randomBytes(32) });
    await archived(ledger, 1);
    const nonces = files(ledger)
      .filter((path) => path.endsWith(".parquet"))
      .flatMap((path) => noncesOf(readFileSync(path)));
    expect(nonces.length).toBeGreaterThan(20);
    expect(new Set(nonces).size).toBe(nonces.length);
  });
});

/** Of the encrypted modules from the beginning of the file: a length of four bytes, then a nonce of twelve. */
function noncesOf(content: Buffer): string[] {
  const nonces: string[] = [];
  for (let at = 4; at + 16 < content.length; ) {
    const length = content.readUInt32LE(at);
    if (length < 28 || at + 4 + length > content.length) break;
    nonces.push(content.toString("hex", at + 4, at + 16));
    at += 4 + length;
  }
  return nonces;
}
