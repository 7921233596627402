import { randomUUID } from "node:crypto";
import { type FileHandle, open, unlink } from "node:fs/promises";
import { join } from "node:path";
import { buffersMade } from "../kit/memory.ts";
import { Unavailable } from "../kit/trouble.ts";
import type { Content } from "../mail/content.ts";

export interface ContentBounds {
  /** A mail larger than this goes to disk, bytes. */
  readonly memoryBytesPerMailMax: number;
  /** The header block is always kept in memory; the door refuses larger ones, bytes. */
  readonly headerBytesMax: number;
  /** Directory for large mails in progress. */
  readonly spillDir: string;
}

/** Collects one mail as it comes in. */
export interface ContentWriter {
  /** @returns a promise to wait for before writing more, when the disk is behind; undefined: go on */
  write(slice: Buffer): Promise<void> | undefined;
  /** @throws Unavailable("disk") when part of it could not be written */
  finish(): Promise<Content>;
  /** Forgets it all. Never throws. */
  discard(): Promise<void>;
}

const PIECE_BYTES = 64 * 1024;
/** CRLF of the last header line and the empty line after it. */
const HEADER_END = "\r\n\r\n";
const HEADER_END_BYTES = HEADER_END.length;
/** So many small slices are copied into one: a mail of dots comes three bytes at a time, and each slice costs a hundred. */
const SLICES_MAX = 1024;

export function createContentWriter(bounds: ContentBounds): ContentWriter {
  /** Nothing goes to disk before the whole header block is in: rules look at all of it or the mail is refused. */
  const memoryBytesMax = Math.max(bounds.memoryBytesPerMailMax, bounds.headerBytesMax + HEADER_END_BYTES);
  const pieces = createPieces();
  let bytes = 0;
  let file: FileHandle | undefined;
  let header: Buffer | undefined;
  /** Writes to disk, one after the other; keeps the first failure. */
  let writing: Promise<void> = Promise.resolve();

  const spill = (): Promise<void> => {
    const batch = pieces.take();
    header ??= headerOf(batch.subarray(0, bounds.headerBytesMax + HEADER_END_BYTES));
    writing = writing.then(async () => {
      file ??= await openUnnamed(bounds.spillDir);
      await file.appendFile(batch);
    });
    return writing;
  };
  const closeFile = async (): Promise<void> => {
    const open = file;
    file = undefined;
    await open?.close().catch(() => undefined);
  };
  return {
    write(slice) {
      pieces.add(slice);
      bytes += slice.length;
      return pieces.bytes() > (header ? PIECE_BYTES : memoryBytesMax) ? spill() : undefined;
    },
    async finish() {
      // The packets it came in, and what they are joined to.
      buffersMade(2 * bytes);
      if (!header) return inMemory(pieces.list(), bytes);
      try {
        await spill();
      } catch (error) {
        await closeFile();
        throw new Unavailable("disk", "a large mail cannot be kept while it is judged", error);
      }
      return onDisk(file as FileHandle, header, bytes);
    },
    async discard() {
      pieces.take();
      await writing.catch(() => undefined);
      await closeFile();
    },
  };
}

/** Slices in the order they came. */
function createPieces() {
  let list: Buffer[] = [];
  /** Slices from here on have not been copied together. */
  let fresh = 0;
  let bytes = 0;
  return {
    bytes: () => bytes,
    list: (): readonly Buffer[] => list,
    add(slice: Buffer): void {
      list.push(slice);
      bytes += slice.length;
      if (list.length - fresh < SLICES_MAX) return;
      list.push(Buffer.concat(list.splice(fresh)));
      fresh = list.length;
    },
    /** All of them as one; none are left. */
    take(): Buffer {
      const whole = joined(list, bytes);
      list = [];
      fresh = 0;
      bytes = 0;
      return whole;
    },
  };
}

function joined(pieces: readonly Buffer[], bytes: number): Buffer {
  const [only, ...more] = pieces;
  return only && more.length === 0 ? only : Buffer.concat(pieces, bytes);
}

/** The file has no name from the start: whatever happens to us, it goes with its handle. */
async function openUnnamed(dir: string): Promise<FileHandle> {
  const path = join(dir, `mail-${randomUUID()}`);
  const handle = await open(path, "wx+", 0o600);
  await unlink(path);
  return handle;
}

/** The header block with the empty line after it. */
function headerOf(start: Buffer): Buffer {
  if (start[0] === 13 && start[1] === 10) return start.subarray(0, 2);
  const end = start.indexOf(HEADER_END);
  return end < 0 ? start : start.subarray(0, end + HEADER_END_BYTES);
}

/** A larger one stays in the pieces it came in: joining many mails at a time would take their memory twice. */
function inMemory(pieces: readonly Buffer[], bytes: number): Content {
  const start = pieces[0];
  const headerIsWhole = start?.includes(HEADER_END) === true;
  if (bytes <= PIECE_BYTES || !headerIsWhole) return inOnePiece(joined(pieces, bytes));
  return {
    bytes,
    header: headerOf(start),
    async *read() {
      yield* pieces;
    },
    dispose: async () => undefined,
  };
}

const inOnePiece = (whole: Buffer): Content => ({
  bytes: whole.length,
  header: headerOf(whole),
  whole,
  async *read() {
    yield whole;
  },
  dispose: async () => undefined,
});

const onDisk = (file: FileHandle, header: Buffer, bytes: number): Content => ({
  bytes,
  header,
  async *read() {
    const piece = Buffer.allocUnsafe(PIECE_BYTES);
    for (let at = 0; at < bytes; ) {
      const { bytesRead } = await file.read(piece, 0, PIECE_BYTES, at);
      if (bytesRead === 0) throw new Unavailable("disk", "a large mail cannot be read back");
      at += bytesRead;
      yield Buffer.from(piece.subarray(0, bytesRead));
    }
  },
  dispose: () => file.close().catch(() => undefined),
});
