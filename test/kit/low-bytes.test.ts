import fc from "fast-check";
import { expect, it } from "vitest";
import { LowBytes } from "../../src/kit/low-bytes.ts";

const bytes = fc.array(
  fc.oneof({ weight: 8, arbitrary: fc.integer({ min: 14, max: 255 }) }, fc.constantFrom(0, 9, 10, 13, 14, 128, 255)),
  { maxLength: 60 },
);

it("finds every byte below 14 and no other, wherever the buffer begins", () => {
  fc.assert(
    fc.property(bytes, fc.nat(7), (values, offset) => {
      // Control bytes all round: what lies outside is not found.
      const buffer = Buffer.from([...Array(offset).fill(10), ...values, 10, 10, 10, 10]).subarray(
        offset,
        offset + values.length,
      );
      const low = new LowBytes(buffer);
      const found: number[] = [];
      for (let at = low.next(0); at < buffer.length; at = low.next(at + 1)) found.push(at);
      expect(found).toEqual(values.flatMap((value, place) => (value < 14 ? [place] : [])));
    }),
    { numRuns: 2_000 },
  );
});

it("finds each value below 14 at each place of a word, and none of the others", () => {
  for (let value = 0; value < 256; value += 1) {
    for (let place = 0; place < 8; place += 1) {
      const buffer = Buffer.alloc(8, value < 14 ? 0x8e : 14);
      buffer[place] = value;
      expect(new LowBytes(buffer).next(0)).toBe(value < 14 ? place : 8);
    }
  }
});
