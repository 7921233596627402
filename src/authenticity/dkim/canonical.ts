/**
 * Canonical forms (RFC 6376 3.4), made on bytes and fed to hashes as they come: a mail of any size costs one pass and no copy of it.
 */
import { createHash, type Hash } from "node:crypto";
import type { Field } from "../../mail/headers.ts";

export type Canon = "simple" | "relaxed";

/** A header field in relaxed form, one character a byte, with its CRLF. */
export const relaxedField = (name: string, value: string): string => `${name}:${relaxedValue(value)}\r\n`;

/** @param value unfolded, outer blanks removed (Field.value) */
const relaxedValue = (value: string): string => (/\t| {2}/.test(value) ? value.replace(/[ \t]+/g, " ") : value);

/** A header field as it is signed. */
export const canonicalField = (field: Field, block: Buffer, canon: Canon): string =>
  canon === "relaxed" ? relaxedField(field.name, field.value) : rawField(field, block);

/** The bytes of a field as they came, one character a byte. */
const rawField = ({ start, end }: Field, block: Buffer): string => block.toString("latin1", start, end);

/** The same signature field with its b= emptied and no CRLF at its end (RFC 6376 3.5, 3.7). */
export function withoutSignature(field: Field, block: Buffer, canon: Canon): string {
  const text = canon === "relaxed" ? relaxedField(field.name, withoutB(field.value)) : withoutB(rawField(field, block));
  return text.replace(/\r\n$/, "");
}

/** The value of tag b goes, blanks around it too; in the raw field the name stands in front. */
const withoutB = (text: string): string => text.replace(/((?:^|[;:])[ \t\r\n]*b[ \t\r\n]*=)[^;]*/, "$1");

const CR = 13;
const LF = 10;
const TAB = 9;
const SPACE = 32;
const OUT_BYTES = 65_536;
/** Used within one call only. */
const out = Buffer.allocUnsafe(OUT_BYTES);
const NEWLINES = Buffer.from("\r\n".repeat(2048));

export interface BodyHash {
  update(chunk: Buffer): void;
  /** @returns the hash in base64 */
  digest(): string;
  /** Bytes of the canonical body; known after digest. */
  readonly canonicalBytes: number;
}

/** @param limit so many canonical bytes are hashed (l=); absent: all */
export function createBodyHash(canon: Canon, algorithm: "sha1" | "sha256", limit?: number): BodyHash {
  const sink = createSink(createHash(algorithm), limit ?? Number.POSITIVE_INFINITY);
  const canonical = canon === "relaxed" ? relaxedBody(sink) : simpleBody(sink);
  return {
    update: canonical.update,
    digest() {
      canonical.end();
      return sink.digest();
    },
    get canonicalBytes() {
      return sink.bytes;
    },
  };
}

interface Sink {
  write(bytes: Buffer): void;
  newlines(count: number): void;
  digest(): string;
  bytes: number;
}

function createSink(hash: Hash, limit: number): Sink {
  const sink: Sink = {
    bytes: 0,
    write(bytes) {
      const room = limit - sink.bytes;
      if (room > 0) hash.update(room < bytes.length ? bytes.subarray(0, room) : bytes);
      sink.bytes += bytes.length;
    },
    newlines(count) {
      for (let left = count * 2; left > 0; left -= NEWLINES.length) {
        sink.write(left < NEWLINES.length ? NEWLINES.subarray(0, left) : NEWLINES);
      }
    },
    digest: () => hash.digest("base64"),
  };
  return sink;
}

interface Canonicalizer {
  update(chunk: Buffer): void;
  end(): void;
}

/** Nothing changes but the empty lines at the end: none is left, and a body without a last CRLF gets one. */
function simpleBody(sink: Sink): Canonicalizer {
  let trailing = 0;
  return {
    update(chunk) {
      let end = chunk.length;
      while (end > 0 && (chunk[end - 1] === LF || chunk[end - 1] === CR)) end -= 1;
      if (end === 0) {
        trailing += chunk.length;
        return;
      }
      if (trailing > 0) sink.newlines(trailing >> 1);
      // A pair that is cut by the end of the piece is counted as a whole: pieces are parts of a mail with CRLF line ends.
      const odd = trailing & 1;
      sink.write(odd ? Buffer.concat([Buffer.from("\r"), chunk.subarray(0, end)]) : chunk.subarray(0, end));
      trailing = chunk.length - end;
    },
    end: () => sink.newlines(1),
  };
}

/** Runs of blanks become one, blanks at line ends and empty lines at the end go; an empty body stays empty. */
function relaxedBody(sink: Sink): Canonicalizer {
  let blank = false;
  let newlines = 0;
  let sawCr = false;
  let empty = true;
  let used = 0;
  const flush = (): void => {
    if (used > 0) sink.write(out.subarray(0, used));
    used = 0;
  };
  /** What came before the next byte that stays. */
  const catchUp = (): void => {
    if (newlines > 0) {
      flush();
      sink.newlines(newlines);
      newlines = 0;
    }
    empty = false;
  };
  const step = (byte: number): void => {
    if (byte === LF) {
      newlines += 1;
      blank = false;
      sawCr = false;
    } else if (byte === CR) sawCr = true;
    else if (byte === SPACE || byte === TAB) blank = true;
    else {
      catchUp();
      if (used > OUT_BYTES - 3) flush();
      // A CR without its LF is an ordinary byte.
      if (sawCr) out[used++] = CR;
      if (blank) out[used++] = SPACE;
      out[used++] = byte;
      sawCr = false;
      blank = false;
    }
  };
  return {
    update(chunk) {
      for (let at = 0; at < chunk.length; ) {
        const end = blank || sawCr ? at : endOfCanonical(chunk, at);
        if (end - at >= RUN_BYTES_MIN) {
          catchUp();
          flush();
          sink.write(chunk.subarray(at, end));
          at = end;
        } else for (const stop = Math.max(end, at + 1); at < stop; at += 1) step(chunk[at] as number);
      }
      flush();
    },
    end() {
      if (!empty) sink.newlines(1);
    },
  };
}

/** From so many bytes on, bytes that stay as they are go to the hash from where they lie. */
const RUN_BYTES_MIN = 256;

/**
 * Most bodies have their canonical form already, but for the empty lines at their end.
 * @returns behind the last byte that stays, with all before it from `from` on, as it is
 */
function endOfCanonical(chunk: Buffer, from: number): number {
  let end = from;
  for (let at = from; at < chunk.length; at += 1) {
    const byte = chunk[at] as number;
    if (isPlain(byte)) end = at + 1;
    else if (at === from) return from;
    else if (byte === SPACE) {
      // At the end of the piece it is not known what follows.
      if (!isPlain(chunk[at + 1] ?? SPACE)) return end;
    } else if (byte === CR && chunk[at + 1] === LF) at += 1;
    else return end;
  }
  return end;
}

const isPlain = (byte: number): boolean =>
  byte > SPACE || (byte !== SPACE && byte !== CR && byte !== LF && byte !== TAB);
