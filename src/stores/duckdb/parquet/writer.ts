/**
 * Writes Parquet files for two kinds of readers: any engine that scans them, and our own look-ups (`cells.ts`), which know from the index where
 * each page lies and unpack only those that they need. DuckDB writes one page for a row group, so that a look-up would unpack all of it.
 */
import { constants, open } from "node:fs/promises";
import { promisify } from "node:util";
import { constants as zlib, zstdCompress, zstdCompressSync } from "node:zlib";
import { type Chunk, encodingsOf, type Pack, statisticsOf, writeChunk } from "./chunk.ts";
import { type Cell, type ChunkForm, GROUP_ROWS, type ParquetColumn } from "./columns.ts";
import { chunkEntry, type Footer, footerOf } from "./footer.ts";
import { struct } from "./thrift.ts";

/** Encrypts a module of a file: its nonce and tag come with it. */
export type SealModule = (bytes: Buffer) => Buffer;

export interface WriterOptions {
  readonly columns: readonly ParquetColumn[];
  /** Of zstd: 1 to 22. */
  readonly level: number;
  /** Several pages at once, on the threads Node has for it. Default: one after the other. */
  readonly parallel?: boolean;
  /** Given, the file is encrypted. */
  readonly seal?: SealModule | undefined;
}

/** Where a column of a row group lies. */
export interface ChunkPlace extends ChunkForm {
  /** Bytes before each page that are not of it, and its own. */
  readonly pages: readonly (readonly [gap: number, bytes: number])[];
}

export interface GroupPlace {
  readonly offset: number;
  readonly bytes: number;
  readonly rows: number;
  /** One after the other from `offset` on. */
  readonly chunks: readonly ChunkPlace[];
}

/** @param rows each with a cell for each column @returns where everything lies */
export async function writeParquet(
  path: string,
  rows: AsyncIterable<readonly Cell[]>,
  options: WriterOptions,
): Promise<GroupPlace[]> {
  const file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  const places: GroupPlace[] = [];
  const footer: Footer = { columns: options.columns, groups: [], rows: 0 };
  let at = 0;
  const write = async (bytes: Buffer): Promise<void> => {
    await file.writeFile(bytes);
    at += bytes.length;
  };
  const writeGroup = async (group: readonly (readonly Cell[])[]): Promise<void> => {
    const chunks = await chunksOf(group, options);
    const place = { offset: at, ...layOut(chunks, group.length) };
    footer.groups.push(groupEntry(chunks, place));
    footer.rows += group.length;
    places.push(place);
    await write(Buffer.concat(chunks.flatMap(({ pages }) => pages.flatMap(({ header, body }) => [header, body]))));
  };
  try {
    await write(magicOf(options));
    let group: (readonly Cell[])[] = [];
    for await (const row of rows) {
      group.push(row);
      if (group.length < GROUP_ROWS) continue;
      await writeGroup(group);
      group = [];
    }
    if (group.length > 0) await writeGroup(group);
    await write(tailOf(footer, options));
    return places;
  } finally {
    await file.close();
  }
}

const magicOf = ({ seal }: WriterOptions): Buffer => Buffer.from(seal ? "PARE" : "PAR1");

async function chunksOf(group: readonly (readonly Cell[])[], options: WriterOptions): Promise<Chunk[]> {
  const pack = packOf(options);
  const chunk = async (column: ParquetColumn, index: number): Promise<Chunk> => {
    const cells = group.map((row) => row[index] ?? null);
    const written = await writeChunk(cells, column, pack);
    const found = column.statistics === true ? statisticsOf(cells, column.kind) : undefined;
    return sealed({ ...written, ...(found && { statistics: found }) }, options.seal);
  };
  if (options.parallel) return Promise.all(options.columns.map(chunk));
  const chunks: Chunk[] = [];
  for (const [index, column] of options.columns.entries()) chunks.push(await chunk(column, index));
  return chunks;
}

const packLater = promisify(zstdCompress);

/** Told beforehand how much it is, zstd takes tables of that size; else it takes, and clears, a hundred megabytes for each page. */
function packOf({ level, parallel }: WriterOptions): Pack {
  const options = (bytes: Buffer) => ({
    params: { [zlib.ZSTD_c_compressionLevel]: level },
    pledgedSrcSize: bytes.length,
  });
  return parallel === true
    ? (bytes) => packLater(bytes, options(bytes))
    : async (bytes) => zstdCompressSync(bytes, options(bytes));
}

const sealed = (chunk: Chunk, seal: SealModule | undefined): Chunk =>
  seal
    ? { ...chunk, pages: chunk.pages.map(({ header, body }) => ({ header: seal(header), body: seal(body) })) }
    : chunk;

function layOut(chunks: readonly Chunk[], rows: number): Omit<GroupPlace, "offset"> {
  const places = chunks.map(({ dictionary, deltas, compressed, pages }) => ({
    dictionary,
    deltas,
    compressed,
    pages: pages.map(({ header, body }) => [header.length, body.length] as const),
  }));
  const bytes = places.reduce((sum, { pages }) => sum + bytesOf(pages), 0);
  return { rows, bytes, chunks: places };
}

export const bytesOf = (pages: ChunkPlace["pages"]): number =>
  pages.reduce((sum, [gap, bytes]) => sum + gap + bytes, 0);

function groupEntry(chunks: readonly Chunk[], place: GroupPlace): Footer["groups"][number] {
  let at = place.offset;
  const entries = chunks.map((chunk, index) => {
    const pages = place.chunks[index]?.pages ?? [];
    const entry = chunkEntry(index, {
      ...chunk,
      encodings: encodingsOf(chunk),
      offset: at,
      bytes: bytesOf(pages),
      dictionaryBytes: chunk.dictionary ? bytesOf(pages.slice(0, 1)) : 0,
    });
    at += bytesOf(pages);
    return entry;
  });
  return { entries, rows: place.rows, bytes: chunks.reduce((sum, { rawBytes }) => sum + rawBytes, 0) };
}

/** The footer, its length and the magic. When encrypted, what is said of the algorithm (AES-GCM without additional data) comes in front. */
function tailOf(footer: Footer, options: WriterOptions): Buffer {
  const bytes = Buffer.from(footerOf(footer).bytes);
  const algorithm = Buffer.from(struct([1, struct([1, struct()])]).bytes);
  const all = options.seal ? Buffer.concat([algorithm, options.seal(bytes)]) : bytes;
  const length = Buffer.alloc(4);
  length.writeUInt32LE(all.length);
  return Buffer.concat([all, length, magicOf(options)]);
}
