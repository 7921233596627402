/** A column of a row group as pages: which form takes fewest bytes without making a look-up unpack much. */

import {
  type Cell,
  type ChunkForm,
  type Kind,
  LIST_EMPTY,
  LIST_ITEM,
  LIST_LEVEL_BITS,
  PAGE_ROWS,
  type ParquetColumn,
} from "./columns.ts";
import { writeDeltas } from "./deltas.ts";
import { bitsFor, writeRuns } from "./runs.ts";
import { binary, i32, struct, type Thrift } from "./thrift.ts";

export interface Page {
  readonly header: Buffer;
  readonly body: Buffer;
}

export interface Chunk extends ChunkForm {
  /** With a dictionary: it, then the places. */
  readonly pages: readonly Page[];
  /** Items of lists, and one for each row without. */
  readonly values: number;
  /** Of headers and pages before they were packed. */
  readonly rawBytes: number;
  readonly statistics?: Thrift;
}

/** Packs bytes with zstd. */
export type Pack = (bytes: Buffer) => Promise<Buffer>;

/** Parquet's numbers for what it calls encodings and pages. */
const PLAIN = 0;
const RLE = 3;
const DELTA_BINARY_PACKED = 5;
const RLE_DICTIONARY = 8;
const DATA_PAGE = 0;
const DICTIONARY_PAGE = 2;

/** More different values than this are written one by one. */
const DISTINCT_MAX = 64;
const DICTIONARY_BYTES_MAX = 8_192;
/** Of a row group: fewer are not worth unpacking. */
const SAVING_MIN_BYTES = 400;

export async function writeChunk(cells: readonly Cell[], column: ParquetColumn, pack: Pack): Promise<Chunk> {
  const { kind } = column;
  const slices = slicesOf(cells, column);
  const whole = slices.length === 1 ? slices[0] : flatten(cells, kind);
  const dictionary = whole && dictionaryOf(whole.values);
  if (whole && dictionary) return asDictionary(whole, dictionary, pack);
  const deltas = column.deltas ? asDeltas(cells, slices, column) : undefined;
  if (deltas) return deltas;
  const raws = slices.map((each) => Buffer.concat([each.levels, ...each.values]));
  const bodies = await Promise.all(raws.map(pack));
  const pages = slices.map((each, index) => {
    const [raw, body] = [raws[index] ?? EMPTY, bodies[index] ?? EMPTY];
    return {
      header: dataHeader({ values: each.count, encoding: PLAIN, rawBytes: raw.length, bytes: body.length }),
      body,
    };
  });
  const form = { dictionary: false, deltas: false, compressed: true };
  return { ...form, pages, values: total(slices), rawBytes: rawBytesOf(pages, raws) };
}

/** undefined: not all of its pages can be written so. */
function asDeltas(cells: readonly Cell[], slices: readonly Slice[], column: ParquetColumn): Chunk | undefined {
  const { pageRows = PAGE_ROWS } = column;
  const pages: Page[] = [];
  for (const [index, { levels, count }] of slices.entries()) {
    const rows = cells.slice(index * pageRows, (index + 1) * pageRows);
    const numbers = writeDeltas(rows.flatMap((cell) => (typeof cell === "number" ? [cell] : [])));
    if (!numbers) return undefined;
    const body = Buffer.concat([levels, numbers]);
    const sizes = { values: count, rawBytes: body.length, bytes: body.length };
    pages.push({ header: dataHeader({ ...sizes, encoding: DELTA_BINARY_PACKED }), body });
  }
  const rawBytes = rawBytesOf(
    pages,
    pages.map(({ body }) => body),
  );
  return { dictionary: false, deltas: true, compressed: false, pages, values: total(slices), rawBytes };
}

const EMPTY = Buffer.alloc(0);
const total = (slices: readonly Slice[]): number => slices.reduce((sum, { count }) => sum + count, 0);
const rawBytesOf = (pages: readonly Page[], raws: readonly Buffer[]): number =>
  pages.reduce((sum, { header }) => sum + header.length, 0) + raws.reduce((sum, { length }) => sum + length, 0);

/** Rows of a column: their levels as they stand in a page, and the values there are, as bytes. */
interface Slice {
  readonly levels: Buffer;
  readonly values: readonly Buffer[];
  readonly count: number;
}

function slicesOf(cells: readonly Cell[], { kind, pageRows = PAGE_ROWS }: ParquetColumn): Slice[] {
  const slices: Slice[] = [];
  for (let from = 0; from < cells.length; from += pageRows) {
    slices.push(flatten(cells.slice(from, from + pageRows), kind));
  }
  return slices;
}

function flatten(cells: readonly Cell[], kind: Kind): Slice {
  const bytesOf = BYTES[kind];
  const values: Buffer[] = [];
  const levels: number[] = [];
  if (kind !== "texts") {
    for (const cell of cells) {
      levels.push(cell === null ? 0 : 1);
      if (cell !== null) values.push(bytesOf(cell as string | number));
    }
    return { levels: levelBytes(levels, 1), values, count: cells.length };
  }
  const repeats: number[] = [];
  for (const cell of cells as readonly (readonly string[] | null)[]) {
    const items = cell ?? [];
    items.forEach((item, index) => {
      repeats.push(index === 0 ? 0 : 1);
      levels.push(LIST_ITEM);
      values.push(bytesOf(item));
    });
    if (items.length > 0) continue;
    repeats.push(0);
    levels.push(cell === null ? 0 : LIST_EMPTY);
  }
  const both = Buffer.concat([levelBytes(repeats, 1), levelBytes(levels, LIST_LEVEL_BITS)]);
  return { levels: both, values, count: levels.length };
}

/** With their length in front. */
function levelBytes(levels: readonly number[], bits: number): Buffer {
  const runs = writeRuns(levels, bits);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(runs.length);
  return Buffer.concat([length, runs]);
}

function textBytes(text: string | number): Buffer {
  const value = String(text);
  const bytes = Buffer.allocUnsafe(4 + Buffer.byteLength(value));
  bytes.writeUInt32LE(bytes.length - 4);
  bytes.write(value, 4);
  return bytes;
}

function longBytes(value: string | number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigInt64LE(BigInt(value));
  return bytes;
}

function intBytes(value: string | number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeInt32LE(Number(value));
  return bytes;
}

const BYTES: Record<Kind, (value: string | number) => Buffer> = {
  text: textBytes,
  texts: textBytes,
  int32: intBytes,
  int64: longBytes,
  time: longBytes,
};

interface Dictionary {
  readonly values: readonly Buffer[];
  readonly places: readonly number[];
}

/** undefined: there are too many different ones. */
function dictionaryOf(values: readonly Buffer[]): Dictionary | undefined {
  const known = new Map<string, number>();
  const distinct: Buffer[] = [];
  const places: number[] = [];
  let bytes = 0;
  for (const value of values) {
    const key = value.toString("latin1");
    let place = known.get(key);
    if (place === undefined) {
      place = distinct.length;
      known.set(key, place);
      distinct.push(value);
      bytes += value.length;
      if (distinct.length > DISTINCT_MAX || bytes > DICTIONARY_BYTES_MAX) return undefined;
    }
    places.push(place);
  }
  return { values: distinct, places };
}

async function asDictionary(slice: Slice, { values, places }: Dictionary, pack: Pack): Promise<Chunk> {
  const bits = bitsFor(values.length - 1);
  const raws = [
    Buffer.concat(values),
    Buffer.concat([slice.levels, Buffer.from([bits]), writeRuns(places, bits)]),
  ] as const;
  const packed = await Promise.all(raws.map(pack));
  const saved = raws[0].length + raws[1].length - packed.reduce((sum, { length }) => sum + length, 0);
  const compressed = saved >= SAVING_MIN_BYTES;
  const [first = EMPTY, second = EMPTY] = compressed ? packed : raws;
  const sizes = { values: values.length, rawBytes: raws[0].length, bytes: first.length };
  const places2 = { values: slice.count, encoding: RLE_DICTIONARY, rawBytes: raws[1].length, bytes: second.length };
  const pages = [
    { header: dictionaryHeader(sizes), body: first },
    { header: dataHeader(places2), body: second },
  ];
  return { dictionary: true, deltas: false, compressed, pages, values: slice.count, rawBytes: rawBytesOf(pages, raws) };
}

interface Sizes {
  readonly values: number;
  readonly rawBytes: number;
  readonly bytes: number;
}

function dataHeader({ values, encoding, rawBytes, bytes }: Sizes & { readonly encoding: number }): Buffer {
  const data = struct([1, i32(values)], [2, i32(encoding)], [3, i32(RLE)], [4, i32(RLE)]);
  return Buffer.from(struct([1, i32(DATA_PAGE)], [2, i32(rawBytes)], [3, i32(bytes)], [5, data]).bytes);
}

function dictionaryHeader({ values, rawBytes, bytes }: Sizes): Buffer {
  const data = struct([1, i32(values)], [2, i32(PLAIN)]);
  return Buffer.from(struct([1, i32(DICTIONARY_PAGE)], [2, i32(rawBytes)], [3, i32(bytes)], [7, data]).bytes);
}

/** The encodings of a chunk, as its footer names them. */
export const encodingsOf = ({ dictionary, deltas }: ChunkForm): readonly number[] => {
  if (dictionary) return [PLAIN, RLE, RLE_DICTIONARY];
  return deltas ? [RLE, DELTA_BINARY_PACKED] : [PLAIN, RLE];
};

/** The smallest and the largest value, as Parquet's footer has them; undefined: there is none. */
export function statisticsOf(cells: readonly Cell[], kind: Kind): Thrift | undefined {
  const bytes = cells.flatMap((cell) =>
    cell === null || Array.isArray(cell) ? [] : [bareBytes(cell as string | number, kind)],
  );
  const [first] = bytes;
  if (!first) return undefined;
  const less =
    kind === "text"
      ? (a: Buffer, b: Buffer) => a.compare(b) < 0
      : (a: Buffer, b: Buffer) => a.readBigInt64LE() < b.readBigInt64LE();
  const least = bytes.reduce((min, each) => (less(each, min) ? each : min), first);
  const most = bytes.reduce((max, each) => (less(max, each) ? each : max), first);
  return struct([5, binary(most)], [6, binary(least)]);
}

const bareBytes = (cell: string | number, kind: Kind): Buffer =>
  kind === "text" ? Buffer.from(String(cell)) : longBytes(cell);
