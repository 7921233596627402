import { describe, expect, it } from "vitest";
import { readDeltas, writeDeltas } from "../../../../src/stores/duckdb/parquet/deltas.ts";

const steps = (count: number, of: (index: number) => number): number[] =>
  Array.from({ length: count }, (_, index) => of(index));

const CASES: readonly (readonly [what: string, values: readonly number[]])[] = [
  ["one number", [1_763_800_000_123]],
  ["two", [5, -7]],
  ["the same again and again", steps(1_000, () => 42)],
  ["numbers below zero", steps(300, (index) => -1 - index * index)],
  ["a whole block and the number before it", steps(129, (index) => index % 7)],
  ["a block and one number more", steps(130, (index) => index % 11)],
  ["differences that span 32 bits", [0, 2 ** 31 - 1, 0, 2 ** 30]],
  ["times of a day in no order", steps(2_048, (index) => 1_763_800_000_000 + ((index * 48_271) % 86_400_000))],
  ["the greatest that are exact", [2 ** 52, 2 ** 52 - 1]],
];

describe("differences", () => {
  it.each(CASES)("of %s are the numbers again", (_, values) => {
    const bytes = writeDeltas(values);
    expect(bytes && [...readDeltas(bytes)]).toEqual(values);
  });

  it("take half of what times of a day take", () => {
    const times = steps(1_024, (index) => 1_763_800_000_000 + ((index * 48_271) % 86_400_000));
    expect(writeDeltas(times)?.length).toBeLessThan(1_024 * 4);
  });

  it.each([
    ["no number", []],
    ["numbers that lie further apart than 32 bits", [0, 2 ** 32, 0]],
  ])("of %s are not written", (_, values) => {
    expect(writeDeltas(values)).toBeUndefined();
  });

  it("that are cut off, or others', are an error", () => {
    const bytes = writeDeltas(steps(1_000, (index) => index * index)) ?? Buffer.alloc(0);
    expect(() => readDeltas(bytes.subarray(0, 200))).toThrow(RangeError);
    expect(() => readDeltas(bytes.subarray(0, 3))).toThrow(RangeError);
    expect(() => readDeltas(Buffer.from([128, 4, 4, 1, 0]))).toThrow(RangeError);
  });
});
