/**
 * Unpacks zstd. A look-up unpacks thousands of small pages: Node takes 15 µs to make a decoder for each, zstddec (zstd itself, as WebAssembly)
 * hardly any; for larger ones Node's is the faster.
 */
import { setFlagsFromString } from "node:v8";
import { zstdDecompressSync } from "node:zlib";
import { ZSTDDecoder } from "zstddec";
import { dropBuffers } from "../../../kit/memory.ts";

const LONG_BYTES = 8;
/** What a page of ours can at most be unpacked to. */
const RAW_BYTES_MAX = 2 ** 28;
const SMALL_FRAME_BYTES = 12_288;
const SMALL_RAW_BYTES = 262_144;

/** Of V8, in steps of a function of WebAssembly: it is compiled well after a hundredth of what it waits for otherwise, within the first look-up. */
const TIERING_BUDGET = 200_000;
/** Unpacked since buffers were last let go of. */
const PILE_BYTES = 8 * 2 ** 20;

let piled = 0;
const decoder = new (class extends ZSTDDecoder {
  override _init(result: Started): void {
    super._init(result);
    room = roomOf(result.instance.exports);
  }
})();
let ready = false;
let opening: Promise<void> | undefined;

/** Until it resolves everything is unpacked by Node. */
export async function openUnpacker(): Promise<void> {
  if (!opening) setFlagsFromString(`--wasm-tiering-budget=${TIERING_BUDGET}`);
  opening ??= withoutFetch(() => decoder.init()).then(() => {
    ready = true;
  });
  await opening;
}

/** Where there is fetch, zstddec takes its own bytes through it: for that Node loads a whole HTTP client, fifty milliseconds of a new process. */
function withoutFetch<T>(begin: () => T): T {
  const fetch = Object.getOwnPropertyDescriptor(globalThis, "fetch");
  if (!fetch?.configurable) return begin();
  Reflect.deleteProperty(globalThis, "fetch");
  try {
    return begin();
  } finally {
    Object.defineProperty(globalThis, "fetch", fetch);
  }
}

/** @throws Error when it is no zstd */
export function unpack(frame: Buffer): Buffer {
  const raw = unpackFrame(frame);
  pile(raw.length);
  return raw;
}

function pile(bytes: number): void {
  piled += bytes;
  if (piled <= PILE_BYTES) return;
  piled = 0;
  dropBuffers();
}

/**
 * The same in the decoder's own memory, as long as there is room: what it gives is good until `forgetUnpacked`. A copy of each page, and
 * collecting it afterwards, is a fifth of a look-up's processor time.
 *
 * @throws Error when it is no zstd
 */
export function unpackInPlace(frame: Buffer): Buffer {
  const page = (room && placeIn(room, frame)) ?? unpack(frame);
  // No page makes it grow: sixteen megabytes were there from the start. When it does, what was given out before is gone.
  if (room?.bytes.length === 0) throw new Error("the memory that pages are unpacked in has moved");
  return page;
}

/** What was unpacked in place is not read any more. */
export function forgetUnpacked(): void {
  if (!room) return;
  // No buffers are left of it, but the small things made from so many pages.
  pile(room.used);
  room.used = 0;
  if (room.bytes.length === 0) room.bytes = room.all();
}

/** Where pages are unpacked in place. */
interface Room {
  readonly decompress: DecoderExports["ZSTD_decompress"];
  readonly frameAt: number;
  readonly pagesAt: number;
  readonly all: () => Uint8Array;
  bytes: Uint8Array;
  used: number;
}

/** undefined: there is no room, or it is no zstd. */
function placeIn({ decompress, frameAt, pagesAt, bytes, used }: Room, frame: Buffer): Buffer | undefined {
  const rawBytes = rawBytesOf(frame);
  if (rawBytes === undefined || !isSmall(frame, rawBytes) || used + rawBytes > IN_PLACE_BYTES) return undefined;
  bytes.set(frame, frameAt);
  const at = pagesAt + used;
  if (decompress(at, rawBytes, frameAt, frame.length) !== rawBytes) return undefined;
  if (room) room.used += rawBytes;
  return Buffer.from(bytes.buffer, at, rawBytes);
}

/** What WebAssembly has started. */
interface Started {
  readonly instance: { readonly exports: DecoderExports };
}

interface DecoderExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  malloc(bytes: number): number;
  ZSTD_decompress(to: number, toBytes: number, from: number, fromBytes: number): number;
}

/** More than what most row groups have of a look-up's pages. */
const IN_PLACE_BYTES = 2 ** 21;

let room: Room | undefined;

/** undefined: the decoder has no memory left. */
function roomOf({ memory, malloc, ZSTD_decompress: decompress }: DecoderExports): Room | undefined {
  const all = (): Uint8Array => new Uint8Array(memory.buffer);
  const [frameAt, pagesAt] = [malloc(SMALL_FRAME_BYTES), malloc(IN_PLACE_BYTES)];
  return frameAt === 0 || pagesAt === 0 ? undefined : { decompress, frameAt, pagesAt, all, bytes: all(), used: 0 };
}

const isSmall = (frame: Buffer, rawBytes: number): boolean =>
  frame.length <= SMALL_FRAME_BYTES && rawBytes <= SMALL_RAW_BYTES;

function unpackFrame(frame: Buffer): Buffer {
  const rawBytes = rawBytesOf(frame);
  if (ready && rawBytes !== undefined && isSmall(frame, rawBytes)) {
    const raw = decoder.decode(frame, rawBytes);
    // It does not tell errors otherwise; Node does.
    if (raw.length === rawBytes) return Buffer.from(raw.buffer, raw.byteOffset, raw.length);
  }
  const chunkSize = Math.max(SMALL_BYTES, Math.min(RAW_BYTES_MAX, rawBytes ?? SIZE_UNKNOWN));
  return zstdDecompressSync(frame, { chunkSize, maxOutputLength: RAW_BYTES_MAX });
}

const SMALL_BYTES = 64;
const SIZE_UNKNOWN = 65_536;
const SIZE_AT = 5;
/** By the two uppermost bits of a frame's fifth byte: how many bytes its content's size takes (RFC 8878, 3.1.1.1.1.1). */
const SIZE_BYTES = [1, 2, 4, 8];
const SINGLE_SEGMENT = 32;

/** The size of what a frame holds, above 0; undefined: it does not say, or says it in eight bytes. */
function rawBytesOf(frame: Buffer): number | undefined {
  const descriptor = frame[SIZE_AT - 1] ?? 0;
  const size = SIZE_BYTES[descriptor >> 6] ?? 1;
  const single = (descriptor & SINGLE_SEGMENT) !== 0;
  if (frame.length < SIZE_AT + LONG_BYTES || size === LONG_BYTES || (size === 1 && !single)) return undefined;
  const raw = frame.readUIntLE(single ? SIZE_AT : SIZE_AT + 1, size) + (size === 2 ? 256 : 0);
  return raw > 0 ? raw : undefined;
}
