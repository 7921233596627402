import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createAddressIndex, findAddress, type Mention } from "../../../src/stores/duckdb/address-index.ts";
import { tempDir } from "../../helpers/temp.ts";

function written(mentions: readonly Mention[]): string {
  const index = createAddressIndex("", undefined);
  for (const mention of mentions) index.add(mention);
  const path = join(tempDir(), "day.addresses");
  writeFileSync(path, index.toBuffer());
  return path;
}

const at = (address: string, block: number, more: Partial<Mention> = {}): Mention => ({
  role: "recipient",
  address,
  block,
  mixedCase: false,
  ...more,
});

describe("the index of addresses", () => {
  it.each([0, 1, 2, 31, 33, 5_000])("finds each of %i addresses in its blocks, and hardly any other", (count) => {
    const blocksOf = (n: number): number[] => (n % 3 === 0 ? [n % 4096] : [n % 7, 7 + (n % 100), 4_000]);
    const names = Array.from({ length: count }, (_, n) => `r${n}@local.example`);
    const path = written(names.flatMap((name, n) => blocksOf(n).map((block) => at(name, block))));
    for (const [n, name] of names.entries()) {
      // Another with the same bits may add blocks of its own; none may be missing.
      expect(findAddress(path, { role: "recipient", address: name })?.blocks).toEqual(
        expect.arrayContaining(blocksOf(n)),
      );
    }
    const strangers = Array.from({ length: 200 }, (_, n) => `x${n}@local.example`);
    expect(strangers.filter((name) => findAddress(path, { role: "recipient", address: name })).length).toBeLessThan(3);
  });

  it("tells a sender from a recipient, and knows of capitals", () => {
    const path = written([at("Ann@a.example", 3, { role: "sender", mixedCase: true }), at("", 1, { role: "sender" })]);
    expect(findAddress(path, { role: "sender", address: "ann@A.example" })).toEqual({ blocks: [3], mixedCase: true });
    expect(findAddress(path, { role: "sender", address: "" })).toEqual({ blocks: [1], mixedCase: false });
    expect(findAddress(path, { role: "recipient", address: "ann@a.example" })).toBeUndefined();
  });

  it("says so when a file is none, or is cut off", () => {
    const path = written([at("ann@a.example", 3)]);
    writeFileSync(path, "CLA0");
    expect(() => findAddress(path, { role: "sender", address: "ann@a.example" })).toThrow("cut off");
    writeFileSync(path, Buffer.alloc(64));
    expect(() => findAddress(path, { role: "sender", address: "ann@a.example" })).toThrow("is no index");
  });
});
