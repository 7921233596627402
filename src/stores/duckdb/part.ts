/** An hour leaves the journal: its entries as a Parquet file, made whole before anybody is told. */
import { createWriteStream } from "node:fs";
import { unlink } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Entry } from "../../ledger/entry.ts";
import type { ClosedHour } from "../../ledger/journal.ts";
import { type Day, type Part, readDay, writeOpen } from "./catalog.ts";
import { BLOCK, FROM_LINES, LINE_TYPES, toLine } from "./columns.ts";
import { type Database, literal } from "./database.ts";
import { draftOf, makeDirectory, settle } from "./durable.ts";
import { type DayPlace, dayDir, parquetOf } from "./layout.ts";

const FILE_MODE = 0o600;
const LINES_AT_ONCE = 512;
/** An hour file is read again within a day: quick to write. */
const PART_OPTIONS = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3, ROW_GROUP_SIZE 20480";

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

/** @returns how many entries it was */
export async function absorbHour(hour: ClosedHour, { root, node, database }: Absorbing): Promise<number> {
  const date = hour.hour.slice(0, 10);
  const place: DayPlace = { date, node, dir: dayDir(root, date, node) };
  await makeDirectory(place.dir);
  const lines = join(database.dir, "hour.jsonl");
  await unlink(lines).catch(() => undefined);
  const rows = await writeLines(hour.read(), lines);
  const day = await readDay(place);
  const part: Part = { file: partName(hour.hour, day), rows, taken: Object.fromEntries(hour.taken) };
  if (rows > 0) await writePart(lines, join(place.dir, part.file), database);
  await writeOpen(place, [...day.parts, part]);
  await unlink(lines);
  return rows;
}

async function writePart(lines: string, path: string, database: Database): Promise<void> {
  const draft = draftOf(path);
  try {
    await database.run(
      `COPY (SELECT -1::INTEGER AS ${BLOCK}, * FROM (${linesAsRows(lines)}) ORDER BY client_ip, sender, "at", id) TO ${literal(draft)} (${PART_OPTIONS}${await database.into(draft)})`,
    );
    await settle(draft, path);
  } catch (error) {
    await unlink(draft).catch(() => undefined);
    throw error;
  }
}
