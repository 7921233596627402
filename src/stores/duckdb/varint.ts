/** Whole numbers from 0 to 2^53 - 1 in as few bytes as they need: seven bits each, the last without the high bit (LEB128). */
export function varints(values: readonly number[]): Buffer {
  const bytes: number[] = [];
  for (const value of values) {
    let rest = value;
    while (rest >= 128) {
      bytes.push((rest % 128) + 128);
      rest = Math.floor(rest / 128);
    }
    bytes.push(rest);
  }
  return Buffer.from(bytes);
}

export interface VarintReader {
  more(): boolean;
  next(): number;
}

export function readVarint(bytes: Uint8Array): VarintReader {
  let at = 0;
  return {
    more: () => at < bytes.length,
    next() {
      let value = 0;
      for (let scale = 1; ; scale *= 128) {
        const byte = bytes[at] ?? 0;
        at += 1;
        value += (byte % 128) * scale;
        if (byte < 128) return value;
      }
    },
  };
}
