import { describe, expect, it } from "vitest";
import { finish, hashText, SEED, step } from "../../src/signals/hashing.ts";

describe("hashes of features", () => {
  it("are the same on every machine and in every version: models depend on them", () => {
    expect(finish(hashText("sale", SEED))).toBe(835_731_374);
    expect(finish(step(SEED, 1))).toBe(1_850_261_252);
  });

  it("are unsigned and spread", () => {
    const hashes = Array.from({ length: 10_000 }, (_, at) => finish(hashText(`word${at}`, SEED)));
    expect(hashes.every((hash) => hash >= 0 && hash < 2 ** 32)).toBe(true);
    const buckets = new Set(hashes.map((hash) => hash & ((1 << 21) - 1)));
    expect(buckets.size).toBeGreaterThan(9_900);
  });
});
