/**
 * Beside each volume: what a look-up of an address or of a client's IP has to know in order to read only the pages that matter.
 *
 * "CLI2" ("CLJ2": of an encrypted archive), the length of the head, the head, then the buckets of `address-index.ts`. The head (zstd) is a line
 * of JSON, with the client address each page begins with, and after it where every page of the Parquet file lies.
 */
import { closeSync, openSync, readSync } from "node:fs";
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { type BucketForm, coderOf, createAddressIndex, findCode, type Role } from "./address-index.ts";
import { type Cipher, keyMissing } from "./cipher.ts";
import { GROUP_ROWS, PAGE_ROWS } from "./parquet/columns.ts";
import type { ChunkPlace, GroupPlace } from "./parquet/writer.ts";
import { readVarint, varints } from "./varint.ts";

const MAGIC = "CLI2";
const MAGIC_KEYED = "CLJ2";
const PREFIX_BYTES = 8;
const HEAD_LEVEL = 19;

interface Head extends BucketForm {
  readonly rows: number;
  readonly groupRows: number;
  readonly pageRows: number;
  /** The client address of each page's first row, null where it has none; absent: rows are in another order. */
  readonly ips?: readonly (string | null)[];
  /** Offset, bytes, rows of each row group, and the bytes of its pages' list. */
  readonly groups: readonly (readonly [offset: number, bytes: number, rows: number, listed: number])[];
}

export interface IndexedRow {
  readonly sender: string | null;
  readonly recipient: string | null;
  readonly clientIp: string | null;
}

export interface VolumeIndexWriter {
  /** In the order of the file. */
  add(row: IndexedRow): void;
  finish(groups: readonly GroupPlace[]): Buffer;
}

/** @param path of the volume's Parquet file */
export function createVolumeIndex(path: string, cipher: Cipher | undefined): VolumeIndexWriter {
  const addresses = createAddressIndex(coderOf(path, cipher));
  const ips: (string | null)[] = [];
  let rows = 0;
  let last: string | null = "";
  let sorted = true;
  return {
    add({ sender, recipient, clientIp }) {
      const page = Math.floor(rows / PAGE_ROWS);
      if (rows % PAGE_ROWS === 0) ips.push(clientIp);
      if (clientIp !== null && (last === null || clientIp < last)) sorted = false;
      last = clientIp;
      if (sender !== null) addresses.add("sender", sender, page);
      if (recipient !== null) addresses.add("recipient", recipient, page);
      rows += 1;
    },
    finish(groups) {
      const { buckets, ...form } = addresses.finish();
      const lists = groups.map(({ chunks }) => varints(chunks.flatMap(listOf)));
      const head: Head = {
        rows,
        groupRows: GROUP_ROWS,
        pageRows: PAGE_ROWS,
        ...form,
        ...(sorted && { ips }),
        groups: groups.map(({ offset, bytes, rows: count }, index) => [
          offset,
          bytes,
          count,
          lists[index]?.length ?? 0,
        ]),
      };
      const packed = zstdCompressSync(Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), ...lists]), LEVEL);
      const content = cipher?.encrypt(path, packed) ?? packed;
      const prefix = Buffer.alloc(PREFIX_BYTES);
      prefix.write(cipher ? MAGIC_KEYED : MAGIC, "latin1");
      prefix.writeUInt32LE(content.length, MAGIC.length);
      return Buffer.concat([prefix, content, buckets]);
    },
  };
}

const LEVEL = { params: { [constants.ZSTD_c_compressionLevel]: HEAD_LEVEL } };

const DICTIONARY = 1;
const COMPRESSED = 2;
const DELTAS = 4;
const FORMS = 8;

const listOf = ({ dictionary, deltas, compressed, pages }: ChunkPlace): number[] => [
  pages.length * FORMS + (dictionary ? DICTIONARY : 0) + (compressed ? COMPRESSED : 0) + (deltas ? DELTAS : 0),
  ...pages.flat(),
];

export interface VolumeIndex extends Head {
  /** What it takes in memory, about. */
  readonly bytes: number;
  /** Where the columns of a row group lie. */
  chunksOf(group: number): ChunkPlace[];
  /** Pages that may speak of an address. */
  pagesOf(role: Role, address: string): number[];
}

/** @throws Error when the file is no such index; Unavailable when a key is missing */
export function readVolumeIndex(path: string, cipher: Cipher | undefined): VolumeIndex {
  const file = openSync(path, "r");
  try {
    const prefix = readAt(file, 0, PREFIX_BYTES);
    const magic = prefix.toString("latin1", 0, MAGIC.length);
    if (magic !== MAGIC && magic !== MAGIC_KEYED) throw new Error(`${path} is no index of ours`);
    const keyed = magic === MAGIC_KEYED;
    if (keyed && !cipher) throw keyMissing(path);
    const length = prefix.readUInt32LE(MAGIC.length);
    const stored = readAt(file, PREFIX_BYTES, length);
    const raw = zstdDecompressSync(keyed && cipher ? cipher.decrypt(path, stored) : stored);
    const end = raw.indexOf(10);
    const head = JSON.parse(raw.toString("utf8", 0, end)) as Head;
    if (head.pageRows !== PAGE_ROWS || head.groupRows !== GROUP_ROWS)
      throw new Error(`${path} is an index of another form`);
    const codeOf = coderOf(path, keyed ? cipher : undefined);
    const starts = startsOf(head, end + 1);
    return {
      ...head,
      bytes: raw.length * 2,
      chunksOf: (group) => chunksFrom(raw.subarray(starts[group], starts[group + 1])),
      pagesOf: (role, address) =>
        withFile(path, (read) =>
          findCode(codeOf(role, address), head, (at, bytes) => read(PREFIX_BYTES + length + at, bytes)),
        ),
    };
  } finally {
    closeSync(file);
  }
}

function startsOf({ groups }: Head, first: number): number[] {
  const starts = [first];
  for (const [, , , listed] of groups) starts.push((starts.at(-1) ?? 0) + listed);
  return starts;
}

function chunksFrom(bytes: Buffer): ChunkPlace[] {
  const reader = readVarint(bytes);
  const chunks: ChunkPlace[] = [];
  while (reader.more()) {
    const head = reader.next();
    const pages = Array.from({ length: Math.floor(head / FORMS) }, () => [reader.next(), reader.next()] as const);
    const has = (form: number): boolean => (head & form) !== 0;
    chunks.push({ dictionary: has(DICTIONARY), compressed: has(COMPRESSED), deltas: has(DELTAS), pages });
  }
  return chunks;
}

/** Reads so many bytes from a place on. @param into a buffer that is large enough; else they get one of their own */
export type ReadAt = (offset: number, bytes: number, into?: Buffer) => Buffer;

export function withFile<T>(path: string, use: (read: ReadAt) => T): T {
  const file = openSync(path, "r");
  try {
    return use((offset, bytes, into) => readAt(file, offset, into?.subarray(0, bytes) ?? bytes));
  } finally {
    closeSync(file);
  }
}

function readAt(file: number, offset: number, into: number | Buffer): Buffer {
  const buffer = typeof into === "number" ? Buffer.allocUnsafe(into) : into;
  if (readSync(file, buffer, 0, buffer.length, offset) < buffer.length) {
    throw new Error("a file of the archive is cut off");
  }
  return buffer;
}
