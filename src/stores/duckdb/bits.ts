/** Numbers bit by bit, the highest bit first. */
export interface BitWriter {
  bits(value: number, count: number): void;
  /** Few bits for numbers that are mostly around 2^`small`, from 0 on (Golomb-Rice). */
  rice(value: number, small: number): void;
  /** Few bits for small numbers, from 1 on (Elias gamma). */
  gamma(value: number): void;
  finish(): Buffer;
}

export interface BitReader {
  bits(count: number): number;
  rice(small: number): number;
  gamma(): number;
}

export function createBitWriter(): BitWriter {
  const bytes: number[] = [];
  let held = 0;
  let count = 0;
  const bit = (value: number): void => {
    held = (held << 1) | value;
    count += 1;
    if (count < 8) return;
    bytes.push(held);
    held = 0;
    count = 0;
  };
  const bits = (value: number, length: number): void => {
    for (let place = length - 1; place >= 0; place -= 1) bit((value >>> place) & 1);
  };
  return {
    bits,
    rice(value, small) {
      for (let high = Math.floor(value / 2 ** small); high > 0; high -= 1) bit(1);
      bit(0);
      bits(value, small);
    },
    gamma(value) {
      const length = 31 - Math.clz32(value);
      for (let each = 0; each < length; each += 1) bit(0);
      bits(value, length + 1);
    },
    finish() {
      while (count > 0) bit(0);
      return Buffer.from(bytes);
    },
  };
}

/** @throws RangeError, from each of its parts, when the bytes end before */
export function readBits(bytes: Uint8Array): BitReader {
  let at = 0;
  const bit = (): number => {
    const byte = bytes[at >> 3];
    if (byte === undefined) throw new RangeError("the index ends too early");
    const value = (byte >> (7 - (at & 7))) & 1;
    at += 1;
    return value;
  };
  const bits = (count: number): number => {
    let value = 0;
    for (let each = 0; each < count; each += 1) value = value * 2 + bit();
    return value;
  };
  return {
    bits,
    rice(small) {
      let high = 0;
      while (bit() === 1) high += 1;
      return high * 2 ** small + bits(small);
    },
    gamma() {
      let length = 0;
      while (bit() === 0) length += 1;
      return 2 ** length + bits(length);
    },
  };
}
