/** What docs/reference/ledger.md says of the archive's files, followed to the letter by plain DuckDB, which knows nothing of us. */

import { hkdfSync, randomBytes } from "node:crypto";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { describe, expect, it } from "vitest";
import { createIds } from "../../../src/kit/ids.ts";
import type { Entry } from "../../../src/ledger/entry.ts";
import { COLUMNS } from "../../../src/stores/duckdb/columns.ts";
import { DAY_MS, openTestLedger, START_MS, type TestLedgerOptions } from "../../helpers/archive.ts";
import { docBlocks } from "../../helpers/doc-blocks.ts";

const ids = createIds({ now: () => START_MS }, Buffer.alloc(32, 1));
const mailId = ids.sealed();
const ENTRIES: readonly Entry[] = [
  {
    id: ids.next(),
    at: START_MS + 5,
    event: "refused",
    mailId,
    sender: "news@shop.example",
    recipient: "Li@example.com",
    clientIp: "192.0.2.7",
    verdict: "reject",
    reply: `550 5.7.1 no {thanks} - id ${mailId}`,
  },
  { id: ids.next(), at: START_MS + 6, event: "received", recipient: "an@example.vn", verdict: "accept" },
];

const block = (name: string): string => {
  const found = docBlocks("reference/ledger.md").find(({ file }) => file === name);
  if (!found) throw new Error(`the page has no ${name}`);
  return found.text;
};

async function sealedDay(options: TestLedgerOptions = {}): Promise<string> {
  const ledger = await openTestLedger(options);
  await ledger.journal.append(ENTRIES);
  ledger.pass(DAY_MS + DAY_MS / 2);
  await ledger.keep();
  return ledger.root;
}

async function plainDuckDb() {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  return async (sql: string): Promise<Record<string, unknown>[]> =>
    (await connection.runAndReadAll(sql)).getRowObjectsJson();
}

describe("an engine that is not ours", () => {
  it("reads the entries as the page says", async () => {
    const root = await sealedDay();
    const sql = await plainDuckDb();
    const placed = (text: string): string => text.replaceAll("date=*", join(root, "date=*"));
    for (const macro of block("macros.sql").split("\n")) await sql(macro);
    const [first] = ENTRIES;
    expect(await sql(placed(block("recipient.sql")))).toEqual([
      {
        at: "2026-11-01 00:00:00.005",
        id: first?.id,
        event: "refused",
        sender: "news@shop.example",
        recipient: "Li@example.com",
        client_ip: "192.0.2.7",
        verdict: "reject",
        reply: first?.reply,
      },
    ]);
    expect(await sql(placed(block("counts.sql")))).toEqual([
      { date: "2026-11-01", node: "relay-1", event: "received", verdict: "accept", entries: "1" },
      { date: "2026-11-01", node: "relay-1", event: "refused", verdict: "reject", entries: "1" },
    ]);
  });

  it("finds the columns that the page has, with their types", async () => {
    const path = join(await sealedDay(), "date=2026-11-01/node=relay-1/day.parquet");
    const described = await (await plainDuckDb())(
      `DESCRIBE SELECT * FROM read_parquet('${path}', hive_partitioning = false)`,
    );
    const types = described.map(({ column_name, column_type }) => [column_name, column_type]);
    expect(types).toEqual(COLUMNS.map(({ name, type }) => [name, type.replace("_MS", "")]));
  });

  it("reads an encrypted day with a key that it derived as the page says", async () => {
    const archiveKey = randomBytes(32);
    const path = join(await sealedDay({ archiveKey }), "date=2026-11-01/node=relay-1/day.parquet");
    const sql = await plainDuckDb();
    const key = Buffer.from(hkdfSync("sha256", archiveKey, "", "consentry ledger parquet 2026-11 relay-1", 32));
    await sql(`PRAGMA add_parquet_key('k', '${key.toString("base64")}')`);
    const read = `read_parquet('${path}', encryption_config = {footer_key: 'k'})`;
    expect(await sql(`SELECT recipient FROM ${read} ORDER BY "at"`)).toEqual([
      { recipient: "Li@example.com" },
      { recipient: "an@example.vn" },
    ]);
  });
});
