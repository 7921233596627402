/**
 * Keys as bytes that sort as their texts do. Parts are UTF-8 with 00 between them; inside a part 00 is written 01 01 and
 * 01 is written 01 02. LMDB takes keys of up to 1,978 bytes, so a part that would need more than PART_BYTES_MAX is written
 * as its first LONG_PREFIX characters, 01 03 and its SHA-256: unique, found by get, but not readable back (rows of
 * such keys carry them in the value) and sorted by the digest among those with the same beginning.
 */
import { createHash } from "node:crypto";

const PART_BYTES_MAX = 600;
const LONG_PREFIX = 170;
const ESCAPE = 1;
const LONG_MARK = 3;
const SEPARATOR = Buffer.of(0);
export const TIME_BYTES = 6;

function escapePart(text: string): Buffer {
  const plain = Buffer.from(text);
  if (!plain.some((byte) => byte <= ESCAPE)) return plain;
  const bytes: number[] = [];
  for (const byte of plain) {
    if (byte <= ESCAPE) bytes.push(ESCAPE, byte + 1);
    else bytes.push(byte);
  }
  return Buffer.from(bytes);
}

function unescapePart(part: Buffer): string {
  if (!part.includes(ESCAPE)) return part.toString();
  const bytes: number[] = [];
  for (let i = 0; i < part.length; i += 1) {
    const byte = part[i] ?? 0;
    if (byte === ESCAPE) {
      i += 1;
      bytes.push((part[i] ?? 0) - 1);
    } else bytes.push(byte);
  }
  return Buffer.from(bytes).toString();
}

function longPart(text: string): Buffer {
  const digest = createHash("sha256").update(text).digest("hex");
  return Buffer.concat([escapePart(text.slice(0, LONG_PREFIX)), Buffer.of(ESCAPE, LONG_MARK), Buffer.from(digest)]);
}

function toPart(text: string): Buffer {
  const part = escapePart(text);
  return part.length > PART_BYTES_MAX ? longPart(text) : part;
}

/** A part that has to be written as a digest. */
export const isLong = (text: string): boolean => escapePart(text).length > PART_BYTES_MAX;

/** So many characters are never more than PART_BYTES_MAX bytes. */
const SHORT_CHARS = PART_BYTES_MAX / 3;

const isPlain = (part: string): boolean => part.length <= SHORT_CHARS && !part.includes("\0") && !part.includes("\x01");

/** The key of these parts. Most need nothing escaped and nothing shortened. */
export const keyOf = (...parts: string[]): Buffer =>
  parts.every(isPlain)
    ? Buffer.from(parts.join("\0"))
    : Buffer.concat(parts.flatMap((part, i) => (i === 0 ? [toPart(part)] : [SEPARATOR, toPart(part)])));

/** What all keys that begin with these parts and have more begin with. */
export const prefixOf = (...parts: string[]): Buffer => Buffer.concat([keyOf(...parts), SEPARATOR]);

/** The end, exclusive, of all that begins with a prefix ending in 00. */
export const endOf = (prefix: Buffer): Buffer => Buffer.concat([prefix.subarray(0, -1), Buffer.of(1)]);

/** The parts of a key none of which is long. */
export function partsOf(key: Uint8Array): string[] {
  const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength);
  const parts: string[] = [];
  let from = 0;
  for (let at = bytes.indexOf(0); at !== -1; at = bytes.indexOf(0, from)) {
    parts.push(unescapePart(bytes.subarray(from, at)));
    from = at + 1;
  }
  parts.push(unescapePart(bytes.subarray(from)));
  return parts;
}

/** A time as bytes that sort: whole milliseconds since the epoch, 0 … 2^48 - 1, clamped. */
export function timeBytes(atMs: number): Buffer {
  const bytes = Buffer.alloc(TIME_BYTES);
  bytes.writeUIntBE(Math.min(Math.max(0, Math.floor(atMs)), 2 ** 48 - 1), 0, TIME_BYTES);
  return bytes;
}
