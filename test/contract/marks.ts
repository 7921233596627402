import { describe, expect, it } from "vitest";
import { fresh, type World } from "./store.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

export function marksContract(world: () => World): void {
  const marks = () => world().store.marks;
  const newKey = (id = "seen") => ({ partition: fresh("recipient"), id });

  async function addMany(key: { partition: string; id: string }, count: number, withinMs: number): Promise<number> {
    let highest = 0;
    for (let from = 0; from < count; from += 1_000) {
      const members = Array.from({ length: Math.min(1_000, count - from) }, (_, i) => `member${from + i}@example.org`);
      const counts = await Promise.all(members.map((member) => marks().distinct(key, member, withinMs)));
      highest = Math.max(highest, ...counts);
    }
    return highest;
  }

  describe("marks", () => {
    it("are first for exactly one of 100 callers at once", async () => {
      const key = newKey();
      const firsts = await Promise.all(Array.from({ length: 100 }, () => marks().first(key, MINUTE)));
      expect(firsts.filter((first) => first)).toHaveLength(1);
      expect(await marks().first(key, MINUTE)).toBe(false);
    });

    it("are first again when the time is over, counted from the first", async () => {
      const key = newKey();
      expect(await marks().first(key, 600)).toBe(true);
      await world().pass(300);
      expect(await marks().first(key, 600)).toBe(false);
      await world().pass(320);
      expect(await marks().first(key, 600)).toBe(true);
    });

    it("keep recipients and kinds apart", async () => {
      const key = newKey();
      await marks().first(key, MINUTE);
      expect(await marks().first({ ...key, id: "other" }, MINUTE)).toBe(true);
      expect(await marks().first({ ...key, partition: `${key.partition}x` }, MINUTE)).toBe(true);
      expect(await marks().distinct(key, "m", MINUTE)).toBe(1);
      expect(await marks().distinct({ ...key, id: "other" }, "m", MINUTE)).toBe(1);
    });

    it.each(["", "{", "}", "{}", "}{", "{a}b", ":", "%7B", "ü", " ", "x".repeat(3_000)])(
      'know a recipient called "%s"',
      async (partition) => {
        const key = { partition, id: fresh("odd") };
        expect([await marks().first(key, MINUTE), await marks().first(key, MINUTE)]).toEqual([true, false]);
        expect(await marks().distinct(key, "a", MINUTE)).toBe(1);
        expect(await marks().distinct(key, "b", MINUTE)).toBe(2);
      },
    );

    it("count each member once", async () => {
      const key = newKey();
      const counts: number[] = [];
      for (const member of ["a", "b", "a", "", "ü", "a", "x".repeat(10_000)]) {
        counts.push(await marks().distinct(key, member, MINUTE));
      }
      expect(counts).toEqual([1, 2, 2, 3, 4, 4, 5]);
    });

    it("count exactly up to 1,000 members", async () => {
      const key = newKey();
      expect(await addMany(key, 1_000, HOUR)).toBe(1_000);
      expect(await marks().distinct(key, "member0@example.org", HOUR)).toBe(1_000);
    });

    it("forget members not seen within the time, and keep those seen again", async () => {
      const key = newKey();
      await marks().distinct(key, "old", 1_000);
      await marks().distinct(key, "refreshed", 1_000);
      await world().pass(500);
      expect(await marks().distinct(key, "refreshed", 1_000)).toBe(2);
      await world().pass(600);
      expect(await marks().distinct(key, "new", 1_000)).toBe(2);
    });

    it("estimate beyond 1,000 within 10 %, and count exactly again when the crowd is gone", {
      timeout: 60_000,
    }, async () => {
      const key = newKey();
      const withinMs = 8_000;
      const start = world().nowMs();
      const estimate = await addMany(key, 12_000, withinMs);
      expect(estimate).toBeGreaterThan(10_800);
      expect(estimate).toBeLessThan(13_200);
      const end = world().nowMs();
      await world().pass(start + withinMs / 2 - end);
      expect(await marks().distinct(key, "late", withinMs)).toBeGreaterThan(10_800);
      await world().pass(end + withinMs + 100 - world().nowMs());
      expect(await marks().distinct(key, "lonely", withinMs)).toBeLessThanOrEqual(2);
    });

    it.each([0, -1, 1.5, Number.NaN])("refuse %d ms as the bug it is", async (withinMs) => {
      await expect(marks().first(newKey(), withinMs)).rejects.toBeInstanceOf(RangeError);
      await expect(marks().distinct(newKey(), "m", withinMs)).rejects.toBeInstanceOf(RangeError);
    });
  });
}
