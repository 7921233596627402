import { describe, expect, it } from "vitest";
import { coderOf, createAddressIndex, findCode, type Role } from "../../../src/stores/duckdb/address-index.ts";

type Mention = readonly [role: Role, address: string, page: number];

function indexOf(mentions: readonly Mention[]): (role: Role, address: string) => number[] {
  const codeOf = coderOf("", undefined);
  const index = createAddressIndex(codeOf);
  for (const mention of [...mentions].sort(([, , a], [, , b]) => a - b)) index.add(...mention);
  const { buckets, ...form } = index.finish();
  return (role, address) => findCode(codeOf(role, address), form, (at, bytes) => buckets.subarray(at, at + bytes));
}

describe("the index of addresses", () => {
  it.each([0, 1, 2, 31, 33, 5_000])("finds each of %i addresses in its pages, and few others", (count) => {
    const pagesOf = (n: number): number[] => (n % 3 === 0 ? [n % 900] : [n % 7, 7 + (n % 100), 999]);
    const names = Array.from({ length: count }, (_, n) => `r${n}@local.example`);
    const find = indexOf(names.flatMap((name, n) => pagesOf(n).map((page): Mention => ["recipient", name, page])));
    for (const [n, name] of names.entries()) {
      // Another with the same code may add pages of its own; none may be missing.
      expect(find("recipient", name)).toEqual(expect.arrayContaining(pagesOf(n)));
    }
    const strangers = Array.from({ length: 400 }, (_, n) => `x${n}@local.example`);
    expect(strangers.filter((name) => find("recipient", name).length > 0).length).toBeLessThan(100);
  });

  it("tells a sender from a recipient, and does not mind capitals", () => {
    const many = Array.from({ length: 300 }, (_, n): Mention => ["sender", `s${n}@b.example`, n]);
    const find = indexOf([...many, ["sender", "Ann@a.example", 3], ["sender", "", 1]]);
    expect(find("sender", "ann@A.example")).toContain(3);
    expect(find("sender", "")).toContain(1);
    expect(find("recipient", "ann@a.example")).not.toContain(3);
  });

  it("says so when it is cut off", () => {
    const codeOf = coderOf("", undefined);
    const index = createAddressIndex(codeOf);
    for (let page = 0; page < 500; page += 1) index.add("sender", "ann@a.example", page);
    const { buckets, ...form } = index.finish();
    const cut = buckets.subarray(0, buckets.length / 2);
    const read = (at: number, bytes: number): Buffer => cut.subarray(at, at + bytes);
    expect(() => findCode(codeOf("sender", "ann@a.example"), form, read)).toThrow("ends too early");
  });
});
