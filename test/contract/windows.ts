import { describe, expect, it } from "vitest";
import { fresh, type World } from "./store.ts";

const MINUTE = 60_000;

export function windowsContract(world: () => World): void {
  const windows = () => world().store.windows;
  const newKey = () => ({ partition: fresh("client"), id: "per-minute" });

  describe("windows", () => {
    it.each([
      ["one at a time", 1, 50],
      ["three at a time", 3, 16],
    ])("grant exactly their maximum to 200 takers at once, %s", async (_, n, expected) => {
      const key = newKey();
      const takes = Array.from({ length: 200 }, () => windows().take(key, { max: 50, windowMs: MINUTE, n }));
      const grants = await Promise.all(takes);
      expect(grants.filter(({ granted }) => granted)).toHaveLength(expected);
      expect(Math.max(...grants.map(({ taken }) => taken))).toBe(expected * n);
    });

    it("say how much is taken, and take nothing when they refuse", async () => {
      const key = newKey();
      const take = (n: number) => windows().take(key, { max: 5, windowMs: MINUTE, n });
      expect(await take(4)).toMatchObject({ granted: true, taken: 4 });
      expect(await take(2)).toMatchObject({ granted: false, taken: 4 });
      expect(await take(1)).toMatchObject({ granted: true, taken: 5 });
      expect(await take(0)).toMatchObject({ granted: true, taken: 5 });
      expect(await take(1)).toMatchObject({ granted: false, taken: 5 });
    });

    it("never grant more than the maximum in one piece", async () => {
      const grant = await windows().take(newKey(), { max: 5, windowMs: MINUTE, n: 6 });
      expect(grant).toMatchObject({ granted: false, taken: 0 });
    });

    it("keep clients and quotas apart", async () => {
      const partition = fresh("client");
      const quota = { max: 1, windowMs: MINUTE };
      for (const key of [
        { partition, id: "a" },
        { partition, id: "b" },
        { partition: `${partition}:a`, id: "" },
        { partition: "", id: `${partition}:a` },
      ]) {
        expect((await windows().take(key, quota)).granted).toBe(true);
        expect((await windows().take(key, quota)).granted).toBe(false);
      }
    });

    it("slide: what was taken first falls out first, when they said it would", async () => {
      const key = newKey();
      const quota = { max: 3, windowMs: 2_000 };
      const before = world().nowMs();
      const { freesAtMs } = await windows().take(key, quota);
      expect(freesAtMs).toBeGreaterThanOrEqual(before + 2_000);
      expect(freesAtMs).toBeLessThanOrEqual(world().nowMs() + 2_000);
      await world().pass(1_000);
      await windows().take(key, { ...quota, n: 2 });
      expect(await windows().take(key, quota)).toEqual({ granted: false, taken: 3, freesAtMs });
      await world().pass(freesAtMs + 5 - world().nowMs());
      expect(await windows().take(key, quota)).toMatchObject({ granted: true, taken: 3 });
      const full = await windows().take(key, quota);
      expect(full.granted).toBe(false);
      expect(full.freesAtMs).toBeGreaterThanOrEqual(freesAtMs + 1_000 - 5);
    });

    it("forget everything when all of it fell out", async () => {
      const key = newKey();
      await windows().take(key, { max: 2, windowMs: 100, n: 2 });
      await world().pass(110);
      expect(await windows().take(key, { max: 2, windowMs: 100 })).toMatchObject({ granted: true, taken: 1 });
    });

    it("count large quotas exactly, taken at many times", async () => {
      const key = newKey();
      const quota = { max: 100_000, windowMs: 60 * MINUTE, n: 70 };
      let granted = 0;
      for (let round = 0; round < 15; round += 1) {
        const grants = await Promise.all(Array.from({ length: 100 }, () => windows().take(key, quota)));
        granted += grants.filter((grant) => grant.granted).length;
        await world().pass(2);
      }
      expect(granted).toBe(Math.floor(100_000 / 70));
      expect(await windows().take(key, { ...quota, n: 0 })).toMatchObject({ taken: granted * 70 });
    });

    it("can be given back, the newest first", async () => {
      const key = newKey();
      const quota = { max: 3, windowMs: 2_000 };
      const { freesAtMs } = await windows().take(key, quota);
      await world().pass(20);
      await windows().take(key, { ...quota, n: 2 });
      await windows().giveBack(key, 1);
      await windows().giveBack(key);
      expect(await windows().take(key, { ...quota, n: 0 })).toEqual({ granted: true, taken: 1, freesAtMs });
      expect(await windows().take(key, { ...quota, n: 3 })).toMatchObject({ granted: false, taken: 1 });
    });

    it("are empty when more is given back than was taken, not below", async () => {
      const key = newKey();
      await windows().giveBack(key, 5);
      await windows().take(key, { max: 3, windowMs: MINUTE, n: 2 });
      await windows().giveBack(key, 10);
      expect(await windows().take(key, { max: 3, windowMs: MINUTE, n: 3 })).toMatchObject({ granted: true, taken: 3 });
    });

    it.each([
      ["a negative amount", { max: 1, windowMs: 1_000, n: -1 }],
      ["half a mail", { max: 1, windowMs: 1_000, n: 0.5 }],
      ["no time", { max: 1, windowMs: 0 }],
      ["a maximum that is no number", { max: Number.NaN, windowMs: 1_000 }],
    ])("refuse %s as the bug it is", async (_, quota) => {
      await expect(windows().take(newKey(), quota)).rejects.toBeInstanceOf(RangeError);
    });
  });
}
