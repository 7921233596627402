/** Reads what stands in some rows of a row group, out of a file that `writer.ts` wrote, and unpacks only the pages they are in. */
import { isAscii } from "node:buffer";
import { type Cell, type Kind, LIST_ITEM, LIST_LEVEL_BITS, PAGE_ROWS, type ParquetColumn } from "./columns.ts";
import { readDeltas } from "./deltas.ts";
import { type Runs, readRuns } from "./runs.ts";
import { unpack as unpackForGood } from "./unpack.ts";
import type { ChunkPlace } from "./writer.ts";

/** A column of a row group: where its pages are, and the bytes. */
export interface ChunkBytes extends ChunkPlace {
  readonly column: ParquetColumn;
  /** From the first page on. */
  readonly bytes: Buffer;
  /** Its pages that were read already. */
  readonly unpacked: Map<number, Buffer>;
  /** Decrypts a page. */
  readonly unseal?: ((bytes: Buffer) => Buffer) | undefined;
  /** Unpacks a page; default: for good. */
  readonly unpack?: (frame: Buffer) => Buffer;
}

const LENGTH_BYTES = 4;
const LONG_BYTES = 8;

/** A page once more costs nothing. @throws Error when it cannot be unpacked */
function pageOf(chunk: ChunkBytes, index: number): Buffer {
  const page = chunk.unpacked.get(index) ?? unpackPage(chunk, index);
  chunk.unpacked.set(index, page);
  return page;
}

function unpackPage({ pages, bytes, compressed, unseal, unpack = unpackForGood }: ChunkBytes, index: number): Buffer {
  let at = 0;
  for (let each = 0; each < index; each += 1) at += (pages[each]?.[0] ?? 0) + (pages[each]?.[1] ?? 0);
  const [gap, length] = pages[index] ?? [0, 0];
  const stored = bytes.subarray(at + gap, at + gap + length);
  if (stored.length < length) throw new RangeError("a page is cut off");
  const open = unseal ? unseal(stored) : stored;
  return compressed ? unpack(open) : open;
}

/** Rows of a page, or of a row group that has one page only, for a column that is no list. */
interface Flat {
  readonly levels: Runs;
  /** What follows the levels. */
  readonly rest: Buffer;
}

function flatOf(page: Buffer, bits = 1): Flat {
  const end = LENGTH_BYTES + page.readUInt32LE(0);
  return { levels: readRuns(page.subarray(LENGTH_BYTES, end), bits), rest: page.subarray(end) };
}

/**
 * @param rows places in the row group, in their order
 * @throws Error when the bytes are no such column
 */
export function cellsOf(chunk: ChunkBytes, rows: readonly number[]): Cell[] {
  const { dictionary } = chunk;
  const { kind, pageRows = PAGE_ROWS } = chunk.column;
  if (dictionary) {
    const page = pageOf(chunk, 1);
    const values = (): Cell[] => allValues(pageOf(chunk, 0), kind);
    return kind === "texts" ? listsFrom(page, rows, values) : placesFrom(page, rows, values);
  }
  const cells: Cell[] = [];
  for (let from = 0; from < rows.length; ) {
    const page = Math.floor((rows[from] ?? 0) / pageRows);
    let to = from + 1;
    while (to < rows.length && (rows[to] ?? 0) < (page + 1) * pageRows) to += 1;
    const inPage = rows.slice(from, to).map((row) => row - page * pageRows);
    const bytes = pageOf(chunk, page);
    cells.push(...(kind === "texts" ? listsFrom(bytes, inPage) : valuesFrom(bytes, inPage, chunk)));
    from = to;
  }
  return cells;
}

/** Which of a row group's rows have this text, in whatever case; `page`: only of this one. @param wanted in lower case */
export function rowsWith(
  chunk: ChunkBytes,
  wanted: string,
  page: { readonly index: number; readonly rows: number },
): number[] {
  const first = page.index * PAGE_ROWS;
  if (chunk.dictionary) {
    const places = Array.from({ length: page.rows }, (_, index) => first + index);
    const cells = cellsOf(chunk, places);
    return places.filter((_, index) => isText(cells[index] ?? null, wanted));
  }
  const { pageRows = PAGE_ROWS } = chunk.column;
  const begin = first - (first % pageRows);
  const { levels, rest } = flatOf(pageOf(chunk, begin / pageRows));
  const found = textPlaces(rest, wanted);
  const rows: number[] = [];
  let value = levels.count(1, 0, first - begin) - 1;
  let next = found.findIndex((each) => each > value);
  for (let row = first; next >= 0 && next < found.length && row < first + page.rows; row += 1) {
    value += levels.at(row - begin);
    if (value !== found[next]) continue;
    rows.push(row);
    next += 1;
  }
  return rows;
}

const isText = (cell: Cell, wanted: string): boolean => typeof cell === "string" && cell.toLowerCase() === wanted;

/** Which of the texts that follow one another are meant. Letters beyond ASCII may change their length with their case. */
function textPlaces(bytes: Buffer, wanted: string): number[] {
  const needle = Buffer.from(wanted);
  const plain = isAscii(bytes);
  const found: number[] = [];
  for (let at = 0, place = 0; at + LENGTH_BYTES <= bytes.length; place += 1) {
    const from = at + LENGTH_BYTES;
    at = from + bytes.readUInt32LE(at);
    if (plain ? sameAscii(bytes, from, at, needle) : isText(bytes.toString("utf8", from, at), wanted))
      found.push(place);
  }
  return found;
}

const CASE_BIT = 32;

function sameAscii(bytes: Buffer, from: number, to: number, needle: Buffer): boolean {
  if (to - from !== needle.length) return false;
  for (let index = 0; index < needle.length; index += 1) {
    const byte = bytes[from + index] ?? 0;
    const lower = byte >= 65 && byte <= 90 ? byte + CASE_BIT : byte;
    if (lower !== needle[index]) return false;
  }
  return true;
}

/** Goes through the values of a page from the first on. */
type Cursor = (place: number) => Cell;

function cursorOf(bytes: Buffer, kind: Kind): Cursor {
  if (kind === "int32") return (place) => bytes.readInt32LE(place * LENGTH_BYTES);
  if (kind !== "text" && kind !== "texts") return (place) => Number(bytes.readBigInt64LE(place * LONG_BYTES));
  let at = 0;
  let next = 0;
  return (place) => {
    for (; next < place && at < bytes.length; next += 1) at += LENGTH_BYTES + lengthAt(bytes, at);
    const end = at + LENGTH_BYTES + bytes.readUInt32LE(at);
    if (end > bytes.length) throw new RangeError("a text is cut off");
    return bytes.toString("utf8", at + LENGTH_BYTES, end);
  };
}

/** As `readUInt32LE`, in a third of its time; texts are shorter than 2 GB. */
const lengthAt = (bytes: Buffer, at: number): number =>
  (bytes[at] as number) |
  ((bytes[at + 1] as number) << 8) |
  ((bytes[at + 2] as number) << 16) |
  ((bytes[at + 3] as number) << 24);

function valuesFrom(page: Buffer, rows: readonly number[], { column, deltas }: ChunkBytes): Cell[] {
  const { levels, rest } = flatOf(page);
  return eachPresent(levels, rows, deltas ? numbersOf(rest, (rows.at(-1) ?? 0) + 1) : cursorOf(rest, column.kind));
}

function numbersOf(bytes: Buffer, most: number): Cursor {
  const numbers = readDeltas(bytes, most);
  return (place) => {
    const number = numbers[place];
    if (number === undefined) throw new RangeError("a page has fewer numbers than rows");
    return number;
  };
}

function eachPresent(levels: Runs, rows: readonly number[], value: Cursor): Cell[] {
  let seen = 0;
  let before = 0;
  return rows.map((row) => {
    before += levels.count(1, seen, row);
    seen = row;
    return levels.at(row) === 0 ? null : value(before);
  });
}

function allValues(bytes: Buffer, kind: Kind): Cell[] {
  const values: Cell[] = [];
  const value = cursorOf(bytes, kind);
  const size = kind === "int32" ? LENGTH_BYTES : LONG_BYTES;
  if (kind !== "text" && kind !== "texts") {
    return Array.from({ length: Math.floor(bytes.length / size) }, (_, place) => value(place));
  }
  for (let at = 0; at < bytes.length; at += LENGTH_BYTES + bytes.readUInt32LE(at)) values.push(value(values.length));
  return values;
}

/** Places in the dictionary: their bits in one byte, then the runs. */
const placeRuns = (bytes: Buffer): Runs => readRuns(bytes.subarray(1), bytes[0] ?? 0);

function placesFrom(page: Buffer, rows: readonly number[], values: () => readonly Cell[]): Cell[] {
  const { levels, rest } = flatOf(page);
  if (rows.every((row) => levels.at(row) === 0)) return rows.map(() => null);
  const places = placeRuns(rest);
  const known = values();
  return eachPresent(levels, rows, (place) => inDictionary(known, places.at(place)));
}

function inDictionary(values: readonly Cell[], place: number): Cell {
  const value = values[place];
  if (value === undefined) throw new RangeError("a value is not in its dictionary");
  return value;
}

/** @param dictionary absent: the values themselves follow the levels */
function listsFrom(page: Buffer, rows: readonly number[], dictionary?: () => readonly Cell[]): Cell[] {
  const repeatsEnd = LENGTH_BYTES + page.readUInt32LE(0);
  const repeats = readRuns(page.subarray(LENGTH_BYTES, repeatsEnd), 1);
  const { levels, rest } = flatOf(page.subarray(repeatsEnd), LIST_LEVEL_BITS);
  let value: Cursor | undefined;
  const valueAt = (place: number): string => {
    if (!value && dictionary) {
      const places = placeRuns(rest);
      const known = dictionary();
      value = (each) => inDictionary(known, places.at(each));
    }
    value ??= cursorOf(rest, "text");
    return value(place) as string;
  };
  let entry = 0;
  let row = 0;
  let before = 0;
  return rows.map((wanted) => {
    const next = entryOf(repeats, { entry, row, wanted });
    before += levels.count(LIST_ITEM, entry, next);
    entry = next;
    row = wanted;
    if (levels.at(entry) === 0) return null;
    const items: string[] = [];
    for (let each = entry; each === entry || (each < repeats.length && repeats.at(each) === 1); each += 1) {
      if (levels.at(each) === LIST_ITEM) items.push(valueAt(before + items.length));
    }
    return items;
  });
}

interface Walk {
  readonly entry: number;
  /** The row that begins there. */
  readonly row: number;
  readonly wanted: number;
}

/** Where a row begins: at the next entry but so many that does not repeat. */
function entryOf(repeats: Runs, { entry, row, wanted }: Walk): number {
  let at = entry;
  for (let left = wanted - row; left > 0; ) {
    const more = repeats.count(1, at + 1, at + 1 + left);
    at += left;
    left = more;
  }
  return at;
}
