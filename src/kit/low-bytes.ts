/**
 * Finds control bytes in mostly printable ones, four bytes a step, without a call of the system's search for each line: with lines of
 * ordinary length those calls cost several times what they look at.
 */

/** Byte values below this are found: NUL, TAB, LF and CR among them. */
const ABOVE = 0x0e;
/** The same in each byte of a word, and each byte's highest bit. */
const ABOVES = 0x0e0e0e0e;
const HIGHS = 0x80808080;
const WORD = Int32Array.BYTES_PER_ELEMENT;
const NONE = new Int32Array(0);

/** One buffer, as it is: it must not change meanwhile. */
export class LowBytes {
  readonly #bytes: Buffer;
  readonly #words: Int32Array;
  /** Bytes in front of the first whole word. */
  readonly #skew: number;

  constructor(bytes: Buffer) {
    const { buffer, byteOffset, length } = bytes;
    this.#bytes = bytes;
    this.#skew = Math.min(length, (WORD - (byteOffset % WORD)) % WORD);
    const words = Math.floor((length - this.#skew) / WORD);
    this.#words = words > 0 ? new Int32Array(buffer, byteOffset + this.#skew, words) : NONE;
  }

  /** @returns the place of the first byte below 14 from `at` on; the length where there is none */
  next(at: number): number {
    const bytes = this.#bytes;
    const words = this.#words;
    const skew = this.#skew;
    let place = at;
    const { length } = bytes;
    while (place < length && (place < skew || (place - skew) % WORD !== 0)) {
      if ((bytes[place] as number) < ABOVE) return place;
      place += 1;
    }
    let index = (place - skew) / WORD;
    for (; index < words.length; index += 1) {
      const word = words[index] as number;
      // A byte that is smaller borrows from its highest bit; one that had that bit already is not counted.
      if (((word - ABOVES) & ~word & HIGHS) !== 0) break;
    }
    for (place = skew + index * WORD; place < length; place += 1) if ((bytes[place] as number) < ABOVE) return place;
    return length;
  }
}
