import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { endOf, keyOf, partsOf, prefixOf } from "../../../src/stores/lmdb/keys.ts";

const LMDB_KEY_MAX = 1978;
const short = fc.string({ unit: "binary", maxLength: 60 });
const any = fc.oneof(short, fc.string({ unit: "binary", minLength: 150, maxLength: 3_000 }));
const bytes = (text: string) => Buffer.from(text);

describe("keys in LMDB", () => {
  it("give back their parts", () => {
    fc.assert(
      fc.property(short, short, short, (...parts) => {
        expect(partsOf(keyOf(...parts))).toEqual(parts);
      }),
    );
  });

  it("are different for different parts, and short enough, however long these are", () => {
    fc.assert(
      fc.property(any, any, any, any, (a, b, c, d) => {
        const [one, other] = [keyOf("t", a, b), keyOf("t", c, d)];
        expect(one.equals(other)).toBe(a === c && b === d);
        expect(one.length).toBeLessThanOrEqual(LMDB_KEY_MAX);
      }),
    );
  });

  it("sort as the texts' bytes do", () => {
    fc.assert(
      fc.property(short, short, (a, b) => {
        const order = Math.sign(Buffer.compare(bytes(a), bytes(b)));
        expect(Math.sign(Buffer.compare(keyOf("t", a), keyOf("t", b)))).toBe(order);
      }),
    );
  });

  it("lie under the prefix of their first parts, and under no other's", () => {
    fc.assert(
      fc.property(any, any, any, (a, b, id) => {
        const [prefix, key] = [prefixOf("t", a), keyOf("t", b, id)];
        const under = Buffer.compare(key, prefix) >= 0 && Buffer.compare(key, endOf(prefix)) < 0;
        expect(under).toBe(a === b);
      }),
    );
  });
});
