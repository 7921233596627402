/** An hour leaves the journal: its entries as a Parquet file, made whole before anybody is told. */
import { createWriteStream } from "node:fs";
import { unlink } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Entry } from "../../ledger/entry.ts";
import type { ClosedHour } from "../../ledger/journal.ts";
import { type Day, type Part, readDay, writeOpen } from "./catalog.ts";
import { FROM_LINES, LINE_TYPES, PARQUET_COLUMNS, toCells, toLine } from "./columns.ts";
import { type Database, literal } from "./database.ts";
import { draftOf, makeDirectory, settle } from "./durable.ts";
import { type DayPlace, dayDir, parquetOf } from "./layout.ts";
import type { Cell } from "./parquet/columns.ts";
import { writeParquet } from "./parquet/writer.ts";

const FILE_MODE = 0o600;
const LINES_AT_ONCE = 512;
/** Of zstd. An hour file is read again within a day: quick to write. */
const LEVEL = 3;

/** Entries of any source as lines for DuckDB. @returns how many */
export async function writeLines(entries: AsyncIterable<Entry>, path: string): Promise<number> {
  let count = 0;
  const pieces = async function* (): AsyncGenerator<string> {
    let lines: string[] = [];
    for await (const entry of entries) {
      lines.push(toLine(entry));
      count += 1;
      if (lines.length < LINES_AT_ONCE) continue;
      yield `${lines.join("\n")}\n`;
      lines = [];
    }
    if (lines.length > 0) yield `${lines.join("\n")}\n`;
  };
  await pipeline(pieces, createWriteStream(path, { mode: FILE_MODE, flags: "wx" }));
  return count;
}

/** SQL that reads such lines as rows of the archive. */
export const linesAsRows = (path: string): string =>
  `SELECT ${FROM_LINES} FROM read_json(${literal(path)}, format = 'newline_delimited', columns = ${LINE_TYPES})`;

/** A name no part of this day has or had. */
function partName(hour: string, { parts, volumes }: Day): string {
  const used = new Set([...parts.map(({ file }) => file), ...volumes.flatMap(({ seal }) => seal.replaces)]);
  const name = hour.slice(-2);
  for (let count = 1; ; count += 1) {
    const file = parquetOf(count === 1 ? name : `${name}-${count}`);
    if (!used.has(file)) return file;
  }
}

export interface Absorbing {
  readonly root: string;
  readonly node: string;
  readonly database: Database;
}

/** In the order of time: the day's volume puts them in its own. @returns how many entries it was */
export async function absorbHour(hour: ClosedHour, { root, node, database }: Absorbing): Promise<number> {
  const date = hour.hour.slice(0, 10);
  const place: DayPlace = { date, node, dir: dayDir(root, date, node) };
  await makeDirectory(place.dir);
  const day = await readDay(place);
  const file = partName(hour.hour, day);
  const rows = await writePart(hour, join(place.dir, file), database);
  const part: Part = { file, rows, taken: Object.fromEntries(hour.taken) };
  await writeOpen(place, [...day.parts, part]);
  return rows;
}

/** No file is made of no entries. */
async function writePart(hour: ClosedHour, path: string, { cipher }: Database): Promise<number> {
  const draft = draftOf(path);
  try {
    const options = { columns: PARQUET_COLUMNS, level: LEVEL, seal: cipher?.parquetModule(path).seal };
    const groups = await writeParquet(draft, cellsOf(hour.read()), options);
    const count = groups.reduce((sum, { rows }) => sum + rows, 0);
    if (count > 0) await settle(draft, path);
    else await unlink(draft);
    return count;
  } catch (error) {
    await unlink(draft).catch(() => undefined);
    throw error;
  }
}

async function* cellsOf(entries: AsyncIterable<Entry>): AsyncGenerator<Cell[]> {
  for await (const entry of entries) yield toCells(entry);
}
