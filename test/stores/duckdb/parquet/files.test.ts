import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createCipher } from "../../../../src/stores/duckdb/cipher.ts";
import { openDatabase } from "../../../../src/stores/duckdb/database.ts";
import { cellsOf, rowsWith } from "../../../../src/stores/duckdb/parquet/cells.ts";
import { type Cell, GROUP_ROWS, PAGE_ROWS, type ParquetColumn } from "../../../../src/stores/duckdb/parquet/columns.ts";
import { forgetUnpacked, openUnpacker, unpackInPlace } from "../../../../src/stores/duckdb/parquet/unpack.ts";
import { bytesOf, type GroupPlace, writeParquet } from "../../../../src/stores/duckdb/parquet/writer.ts";
import { tempDir } from "../../../helpers/temp.ts";

const COLUMNS: readonly ParquetColumn[] = [
  { name: "when", kind: "time", statistics: true, deltas: true, pageRows: 2 * PAGE_ROWS },
  { name: "number", kind: "int32", pageRows: 2 * PAGE_ROWS },
  // They lie too far apart for it.
  { name: "long", kind: "int64", deltas: true },
  { name: "text", kind: "text", statistics: true },
  { name: "few", kind: "text" },
  { name: "none", kind: "text" },
  { name: "list", kind: "texts" },
  { name: "lists", kind: "texts" },
];

/** The same numbers at every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const ODD = ["", "Ann@A.example", "người.nhận@ví-dụ.vn", "\u0000\u001f", "x".repeat(5_000), "广告", "ẞ@K.example"];

/** @param nulls how many of ten values are missing */
function rowsOf(count: number, nulls: number): Cell[][] {
  const random = seeded(count + nulls);
  const below = (n: number): number => Math.floor(random() * n);
  const maybe = <T extends Cell>(value: T): Cell => (random() * 10 < nulls ? null : value);
  const text = (): string => (below(50) === 0 ? (ODD[below(ODD.length)] ?? "") : `r${below(2_000)}@local.example`);
  const items = (n: number, of: number): string[] => Array.from({ length: below(n) }, () => `rule/${below(of)}`);
  return Array.from({ length: count }, () => [
    maybe(1.7e12 + below(9e8)),
    maybe(below(2 ** 31) - 2 ** 30),
    maybe(below(2 ** 40) - 2 ** 38),
    maybe(text()),
    maybe(`few ${below(below(40) + 1)}`),
    null,
    maybe(items(2, 3)),
    maybe(items(6, 300)),
  ]);
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

const cipher = createCipher(Buffer.alloc(32, 3));

async function written(rows: readonly Cell[][], encrypted: boolean) {
  const path = join(tempDir(), "date=2026-11-22", "node=relay-1", "day.parquet");
  const { mkdirSync } = await import("node:fs");
  mkdirSync(join(path, ".."), { recursive: true });
  const { seal, unseal } = cipher.parquetModule(path);
  const groups = await writeParquet(path, each(rows), {
    columns: COLUMNS,
    level: 3,
    ...(encrypted && { seal, parallel: true }),
  });
  const chunksOf = ({ offset, chunks }: GroupPlace) => {
    let at = offset;
    const file = readFileSync(path);
    return chunks.map((chunk, index) => {
      const from = at;
      at += bytesOf(chunk.pages);
      const column = COLUMNS[index] as ParquetColumn;
      return { ...chunk, column, unpacked: new Map(), bytes: file.subarray(from, at), ...(encrypted && { unseal }) };
    });
  };
  return { path, groups, chunksOf };
}

async function asDuckDbReads(path: string): Promise<unknown[][]> {
  const database = await openDatabase({
    tempDir: tempDir(),
    memoryMb: 300,
    threads: 1,
    archiveKey: Buffer.alloc(32, 3),
  });
  try {
    const source = await database.from([path]);
    const columns = `epoch_ms("when")::DOUBLE, number, long::DOUBLE, text, few, none, list, lists`;
    return (await database.rows(`SELECT ${columns} FROM ${source}`)).map((row) => [...row]);
  } finally {
    await database.close();
  }
}

const CASES: readonly (readonly [rows: number, nulls: number, encrypted: boolean])[] = [
  [1, 0, false],
  [1, 10, false],
  [7, 5, true],
  [PAGE_ROWS, 0, false],
  [PAGE_ROWS + 1, 3, true],
  [GROUP_ROWS + 17, 1, false],
  [2 * GROUP_ROWS + 3_333, 5, false],
];

describe("a Parquet file of ours", () => {
  it.each(CASES)(
    "gives DuckDB all %i rows as they were (%i of ten missing, encrypted: %s)",
    async (count, nulls, encrypted) => {
      const rows = rowsOf(count, nulls);
      const { path } = await written(rows, encrypted);
      expect(await asDuckDbReads(path)).toEqual(rows);
    },
    30_000,
  );

  it.each(CASES)(
    "gives us any of %i rows (%i of ten missing, encrypted: %s)",
    async (count, nulls, encrypted) => {
      await openUnpacker();
      const rows = rowsOf(count, nulls);
      const { groups, chunksOf } = await written(rows, encrypted);
      const random = seeded(5);
      groups.forEach((group, index) => {
        const own = rows.slice(index * GROUP_ROWS, index * GROUP_ROWS + group.rows);
        for (const share of [1, 0.3, 0.001]) {
          const places = own.flatMap((_, place) => (random() < share ? [place] : []));
          const chunks = chunksOf(group);
          const cells = chunks.map((chunk) => cellsOf(chunk, places));
          const expected = places.map((place) => own[place]);
          expect(places.map((_, row) => cells.map((column) => column[row]))).toEqual(expected);
          forgetUnpacked();
          const lent = chunksOf(group).map((chunk) => cellsOf({ ...chunk, unpack: unpackInPlace }, places));
          expect(places.map((_, row) => lent.map((column) => column[row]))).toEqual(expected);
        }
      });
    },
    30_000,
  );

  it("finds the rows with a text in whatever case", async () => {
    await openUnpacker();
    const rows = rowsOf(GROUP_ROWS, 2);
    const { groups, chunksOf } = await written(rows, false);
    const chunks = chunksOf(groups[0] as GroupPlace);
    for (const [column, wanted] of [
      [3, "r7@local.example"],
      [3, "ann@a.example"],
      [3, "người.nhận@ví-dụ.vn"],
      [3, "ß@k.example"],
      [3, ""],
      [4, "few 0"],
    ] as const) {
      const expected = rows.flatMap((row, place) =>
        String(row[column] ?? "-").toLowerCase() === wanted ? [place] : [],
      );
      expect(expected.length, wanted).toBeGreaterThan(0);
      const chunk = chunks[column];
      const pages = Array.from({ length: GROUP_ROWS / PAGE_ROWS }, (_, index) => index);
      const found = pages.flatMap((index) => (chunk ? rowsWith(chunk, wanted, { index, rows: PAGE_ROWS }) : []));
      expect(found, wanted).toEqual(expected);
    }
  });

  it("does not give out what was damaged as something else without saying so, or crash", async () => {
    await openUnpacker();
    const rows = rowsOf(300, 2);
    const { groups, chunksOf } = await written(rows, true);
    const [chunk] = chunksOf(groups[0] as GroupPlace);
    if (!chunk) throw new Error("no chunk");
    const bytes = Buffer.from(chunk.bytes);
    const at = (chunk.pages[0]?.[0] ?? 0) + 20;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    expect(() => cellsOf({ ...chunk, bytes, unpacked: new Map() }, [0])).toThrow();
    expect(() => cellsOf({ ...chunk, bytes, unpacked: new Map(), unpack: unpackInPlace }, [0])).toThrow();
    expect(() => cellsOf({ ...chunk, bytes: bytes.subarray(0, 30), unpacked: new Map() }, [0])).toThrow("cut off");
  });
});
