import { LowBytes } from "../../kit/low-bytes.ts";
import type { Parcel } from "../next-hop.ts";
import type { OwnWord } from "../queue/own-words.ts";

/** Octets of a line without its CRLF (RFC 5321 4.5.3.1.6). */
const LINE_MAX = 998;
const CR = 13;
const LF = 10;

/** A mail that must not go to any server, and why. */
export class Unfit extends Error {
  readonly word: OwnWord;

  constructor(word: OwnWord) {
    super(word);
    this.name = "Unfit";
    this.word = word;
  }
}

/**
 * Reads a mail that comes in pieces cut anywhere for lines that are too long and for CR or LF that are no line end: what one
 * server takes for text another takes for the end of the mail (SMTP smuggling).
 */
class LineReader {
  #length = 0;
  #afterCr = false;

  /** @throws Unfit */
  push(piece: Buffer): void {
    let at = 0;
    if (this.#afterCr && piece.length > 0) {
      if (piece[0] !== LF) throw new Unfit("bare-newline");
      at = 1;
      this.#afterCr = false;
    }
    const low = new LowBytes(piece);
    for (let place = low.next(at); place < piece.length; place = low.next(place)) {
      const byte = piece[place];
      place += 1;
      if (byte === LF) throw new Unfit("bare-newline");
      if (byte !== CR) continue;
      this.#grow(place - 1 - at);
      this.#length = 0;
      if (place === piece.length) {
        this.#afterCr = true;
        return;
      }
      if (piece[place] !== LF) throw new Unfit("bare-newline");
      place += 1;
      at = place;
    }
    this.#grow(piece.length - at);
  }

  #grow(bytes: number): void {
    this.#length += bytes;
    if (this.#length > LINE_MAX) throw new Unfit("long-line");
  }

  /** @throws Unfit */
  end(): void {
    if (this.#afterCr) throw new Unfit("bare-newline");
  }
}

/**
 * The parcel, looked at for what must not reach a server: at once where it is in memory, else while it is read.
 * @throws Unfit, at once or from `read()`
 */
export function fitParcel(parcel: Parcel): Parcel {
  const reader = new LineReader();
  reader.push(parcel.front);
  if (parcel.whole) {
    reader.push(parcel.whole);
    reader.end();
    return parcel;
  }
  return { ...parcel, read: () => checked(parcel) };
}

async function* checked(parcel: Parcel): AsyncIterable<Buffer> {
  const reader = new LineReader();
  reader.push(parcel.front);
  for await (const piece of parcel.read()) {
    reader.push(piece);
    yield piece;
  }
  reader.end();
}

/**
 * Does the mail need a server that knows SMTPUTF8? Clients say so of mails that do not; without an address or a header that is
 * not ASCII anybody can have it (RFC 6531 3.1).
 */
export async function needsUtf8(parcel: Parcel, addresses: readonly string[]): Promise<boolean> {
  if (addresses.some((address) => !isAscii(address)) || isEightBit(parcel.front)) return true;
  let header = Buffer.alloc(0);
  for await (const piece of parcel.whole ? [parcel.whole] : parcel.read()) {
    header = Buffer.concat([header, piece]);
    const end = header.indexOf("\r\n\r\n");
    if (end >= 0 || header.length > HEADER_BYTES_MAX) return isEightBit(end < 0 ? header : header.subarray(0, end));
  }
  return isEightBit(header);
}

/** A header that is longer counts as if it ended there; doors take none that is. */
const HEADER_BYTES_MAX = 16_777_216;

const isAscii = (text: string): boolean => /^[\x00-\x7e]*$/.test(text);

/** Does it hold octets above 127? Read to its end to know that it does not. */
export async function hasEightBit(parcel: Parcel): Promise<boolean> {
  if (isEightBit(parcel.front)) return true;
  if (parcel.whole) return isEightBit(parcel.whole);
  for await (const piece of parcel.read()) if (isEightBit(piece)) return true;
  return false;
}

const isEightBit = (bytes: Buffer): boolean => bytes.some((byte) => byte > 127);
