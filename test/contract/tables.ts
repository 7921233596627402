import { describe, expect, it } from "vitest";
import type { Row, Value } from "../../src/kit/store.ts";
import { fresh, type World } from "./store.ts";

export async function collect<T>(all: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const one of all) found.push(one);
  return found;
}

const LONG = "long-".repeat(1000);

/** Texts that have broken keys somewhere before. */
const ODD = [
  "",
  " ",
  "a b",
  "a:b",
  "a::b",
  ":",
  "{",
  "}",
  "{}",
  "{a}b",
  "a}b{c",
  "%",
  "%7B",
  "a%25",
  "*",
  "?",
  "[a-z]",
  "\\",
  "'\"`",
  "|",
  "1|2",
  "-",
  "\n",
  "\r\n",
  "\t",
  "\u0000",
  "a\u0000b",
  "\u0001",
  "\u0001\u0002",
  "ÿ",
  "dấu@ví-dụ.vn",
  "广告@例子.公司",
  "😀",
  "\uffff",
  LONG,
  `${LONG}a`,
  `${LONG}b`,
  "\u0000".repeat(900),
] as const;

const VALUES: readonly (readonly [string, Value])[] = [
  ["an empty text", ""],
  ["a text with a bar", "1|2|{}"],
  ["a text in several scripts", "quảng cáo 广告 😀 \u0000 \n"],
  ["null", null],
  ["false", false],
  ["zero", 0],
  ["a fraction", -12.5e-7],
  ["a large number", Number.MAX_SAFE_INTEGER],
  ["an empty object", {}],
  ["an empty list", []],
  ["a record", { status: "given", at: 1_700_000_000_000, proof: { ip: "192.0.2.1", words: ["a", null, [1]] } }],
  ["100 KB", { body: "x".repeat(100_000) }],
];

export function tablesContract(world: () => World): void {
  const tables = () => world().store.tables;

  describe("tables", () => {
    it.each(VALUES)("give back %s as it was put", async (_, value) => {
      const key = { partition: "p", id: fresh("id") };
      await tables().put("values", key, value);
      expect(await tables().get("values", key)).toEqual({ value, version: 1 });
    });

    it("know nothing of a record that nobody put", async () => {
      expect(await tables().get(fresh("t"), { partition: "p", id: "id" })).toBeUndefined();
    });

    it("count versions from 1", async () => {
      const key = { partition: "p", id: fresh("id") };
      for (const version of [1, 2, 3]) expect(await tables().put("t", key, { version })).toBe(version);
      expect(await tables().get("t", key)).toEqual({ value: { version: 3 }, version: 3 });
    });

    it("do not hand out what they keep", async () => {
      const key = { partition: "p", id: fresh("id") };
      const value = { list: ["a"] };
      await tables().put("t", key, value);
      value.list.push("b");
      expect((await tables().get("t", key))?.value).toEqual({ list: ["a"] });
    });

    it("refuse a value JSON cannot say", async () => {
      const put = tables().put("t", { partition: "p", id: fresh("id") }, undefined as unknown as Value);
      await expect(put).rejects.toBeInstanceOf(TypeError);
    });

    it.each([
      ["0 where there is one", 1, 0],
      ["1 where there is none", 0, 1],
      ["an older one", 3, 2],
      ["a newer one", 2, 3],
    ])("refuse a put that expects version %s, and change nothing", async (_, has, expects) => {
      const key = { partition: "p", id: fresh("id") };
      for (let version = 1; version <= has; version += 1) await tables().put("t", key, version);
      expect(await tables().put("t", key, "changed", expects)).toBeUndefined();
      expect((await tables().get("t", key))?.value).toBe(has === 0 ? undefined : has);
    });

    it("let exactly one of 100 writers at once win each round", async () => {
      const key = { partition: "p", id: fresh("id") };
      for (let round = 0; round < 5; round += 1) {
        const puts = Array.from({ length: 100 }, (_, writer) => tables().put("t", key, { round, writer }, round));
        const won = (await Promise.all(puts)).flatMap((version, writer) => (version === undefined ? [] : [writer]));
        expect(won).toHaveLength(1);
        expect(await tables().get("t", key)).toEqual({ value: { round, writer: won[0] }, version: round + 1 });
      }
    });

    it("lose none of 100 unconditional puts at once", async () => {
      const key = { partition: "p", id: fresh("id") };
      const versions = await Promise.all(Array.from({ length: 100 }, (_, i) => tables().put("t", key, i)));
      expect(new Set(versions)).toEqual(new Set(Array.from({ length: 100 }, (_, i) => i + 1)));
    });

    it("answer getMany in the order asked, with gaps and repeats", async () => {
      const table = fresh("t");
      const keys = Array.from({ length: 3000 }, (_, i) => ({ partition: `p${i % 700}`, id: `id${i}` }));
      await tables().putMany(
        table,
        keys.filter((_, i) => i % 3 === 0).map((key) => ({ key, value: key.id })),
      );
      const asked = [...keys].reverse().concat(keys.slice(0, 10));
      const found = await tables().getMany(table, asked);
      const expected = asked.map(({ id }) => (Number(id.slice(2)) % 3 === 0 ? { value: id, version: 1 } : undefined));
      expect(found).toEqual(expected);
      expect(await tables().getMany(table, [])).toEqual([]);
    });

    it("say whether there was something to remove, and then start anew", async () => {
      const key = { partition: "p", id: fresh("id") };
      expect(await tables().remove("t", key)).toBe(false);
      await tables().put("t", key, 1);
      await tables().put("t", key, 2);
      expect(await tables().remove("t", key)).toBe(true);
      expect(await tables().remove("t", key)).toBe(false);
      expect(await tables().get("t", key)).toBeUndefined();
      expect(await tables().put("t", key, 3, 0)).toBe(1);
    });

    it("tell all records with odd keys apart", async () => {
      const table = fresh("t");
      const keys = ODD.flatMap((partition) => ODD.map((id) => ({ partition, id })));
      await tables().putMany(
        table,
        keys.map((key, i) => ({ key, value: i })),
      );
      expect(await tables().getMany(table, keys)).toEqual(keys.map((_, i) => ({ value: i, version: 1 })));
      const scanned = await collect(tables().scan(table));
      const back = new Map(scanned.map((row) => [row.value, row.key]));
      expect(scanned).toHaveLength(keys.length);
      expect(keys.map((_, i) => back.get(i))).toEqual(keys);
    });

    it("list one partition, all of it, in the order of the ids' bytes", async () => {
      const table = fresh("t");
      const ids = [...ODD.filter((id) => id.length < 100), ...Array.from({ length: 1500 }, (_, i) => `id${i}`)];
      for (const partition of ["a", "a:b", "{a}"]) {
        await tables().putMany(
          table,
          ids.map((id) => ({ key: { partition, id }, value: { partition, id } })),
        );
      }
      const sorted = [...ids].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      const expected = sorted.map((id): Row => {
        const key = { partition: "a", id };
        return { key, value: key, version: 1 };
      });
      expect(await collect(tables().list(table, "a"))).toEqual(expected);
      expect(await collect(tables().list(table, "none"))).toEqual([]);
    });

    it("scan every record of 5,000, and none of a table named alike", async () => {
      const table = fresh("t");
      const rows = Array.from({ length: 5000 }, (_, i) => ({
        key: { partition: `user${i % 1250}@example.org`, id: `advertiser:${i}` },
        value: { i },
      }));
      await tables().putMany(table, rows);
      for (const other of [`${table}x`, `x:${table}`, `${table}:x`]) {
        await tables().put(other, { partition: "user1@example.org", id: "other" }, "other");
      }
      const found = await collect(tables().scan(table));
      expect(found).toHaveLength(5000);
      expect(new Set(found.map(({ value }) => (value as { i: number }).i)).size).toBe(5000);
    });

    it("overwrite with putMany, a version further", async () => {
      const table = fresh("t");
      const rows = ["a", "b"].map((id) => ({ key: { partition: "p", id }, value: "second" }));
      await tables().put(table, { partition: "p", id: "a" }, "first");
      await tables().putMany(table, rows);
      const found = await collect(tables().list(table, "p"));
      expect(found.map(({ value, version }) => [value, version])).toEqual([
        ["second", 2],
        ["second", 1],
      ]);
    });
  });
}
