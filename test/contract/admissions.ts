import { describe, expect, it } from "vitest";
import type { Admission, Quota } from "../../src/kit/store.ts";
import { fresh, type World } from "./store.ts";

const HOUR = 3_600_000;
const TABLE = "admitted";
const quota = (more: Partial<Quota> = {}): Quota => ({ id: "cap", max: 3, windowMs: HOUR, unlessOwn: false, ...more });

export function admissionsContract(world: () => World): void {
  const ask = (partition: string, quotas: readonly Quota[]): Admission => ({
    key: { partition, id: "shop" },
    ownId: "own",
    quotas,
  });
  const admit = (asked: readonly Admission[], n = 1) => world().store.admissions.admit(TABLE, asked, n);
  const record = (partition: string, value: object) =>
    world().store.tables.put(TABLE, { partition, id: "shop" }, value as never);

  describe("admissions", () => {
    it("give records and grants in the order asked, where there is a record and where there is none", async () => {
      const [known, unknown] = [fresh("r"), fresh("r")];
      await record(known, { g: 7 });
      const answers = await admit([ask(unknown, [quota()]), ask(known, [quota(), quota({ id: "other", max: 1 })])]);
      expect(answers.map((answer) => answer.record)).toEqual([undefined, { value: { g: 7 }, version: 1 }]);
      expect(answers.map(({ grants }) => grants.map(({ id, granted, taken }) => [id, granted, taken]))).toEqual([
        [["cap", true, 1]],
        [
          ["cap", true, 1],
          ["other", true, 1],
        ],
      ]);
    });

    it("grant exactly the maximum to fifty who ask at once", async () => {
      const r = fresh("r");
      const answers = await Promise.all(Array.from({ length: 50 }, () => admit([ask(r, [quota({ max: 5 })])])));
      expect(answers.flat().filter(({ grants }) => grants[0]?.granted)).toHaveLength(5);
    });

    it("also when the fifty stand in one question", async () => {
      const r = fresh("r");
      const answers = await admit(Array.from({ length: 50 }, () => ask(r, [quota({ max: 5 })])));
      expect(answers.filter(({ grants }) => grants[0]?.granted)).toHaveLength(5);
    });

    it("take from each quota by itself, and refuse by itself", async () => {
      const r = fresh("r");
      const both = [quota({ id: "wide", max: 3 }), quota({ id: "narrow", max: 1 })];
      await admit([ask(r, both)]);
      const [second] = await admit([ask(r, both)]);
      expect(second?.grants.map(({ granted, taken }) => [granted, taken])).toEqual([
        [true, 2],
        [false, 1],
      ]);
    });

    it("put a record's own quota in the place of those that give way to it, and of no other", async () => {
      const r = fresh("r");
      await record(r, { g: 1, q: [1, HOUR], t: ['"q":[9,9]'] });
      const asked = ask(r, [quota({ id: "gives", unlessOwn: true }), quota({ id: "stays" })]);
      const [first] = await admit([asked]);
      expect(first?.grants.map(({ id, granted, max, windowMs }) => [id, granted, max, windowMs])).toEqual([
        ["stays", true, 3, HOUR],
        ["own", true, 1, HOUR],
      ]);
      const [second] = await admit([asked]);
      expect(second?.grants.map(({ id, granted }) => [id, granted])).toEqual([
        ["stays", true],
        ["own", false],
      ]);
    });

    it("only look when nothing is to be taken, and say whether one more would do", async () => {
      const r = fresh("r");
      const look = async () => (await admit([ask(r, [quota({ max: 1 })])], 0))[0]?.grants[0];
      expect(await look()).toMatchObject({ granted: true, taken: 0 });
      expect(await look()).toMatchObject({ granted: true, taken: 0 });
      await admit([ask(r, [quota({ max: 1 })])]);
      expect(await look()).toMatchObject({ granted: false, taken: 1 });
    });

    it("are given back by the window's id", async () => {
      const r = fresh("r");
      const asked = ask(r, [quota({ max: 1 })]);
      await admit([asked]);
      await world().store.windows.giveBack({ partition: r, id: "cap" });
      expect((await admit([asked]))[0]?.grants[0]).toMatchObject({ granted: true, taken: 1 });
    });

    it("say when the oldest falls out, and grant again then", async () => {
      const r = fresh("r");
      const asked = ask(r, [quota({ max: 1, windowMs: 2_000 })]);
      const [first] = await admit([asked]);
      const freesAtMs = first?.grants[0]?.freesAtMs ?? 0;
      expect(freesAtMs).toBeGreaterThan(world().nowMs());
      await world().pass(freesAtMs + 5 - world().nowMs());
      expect((await admit([asked]))[0]?.grants[0]).toMatchObject({ granted: true, taken: 1 });
    });

    it("take nothing where there is no quota", async () => {
      const r = fresh("r");
      await record(r, { g: 1 });
      expect(await admit([ask(r, [])])).toEqual([{ record: { value: { g: 1 }, version: 1 }, grants: [] }]);
    });

    it("come by the thousand", async () => {
      const asked = Array.from({ length: 1_000 }, (_, i) => ask(`${fresh("many")}-${i}`, [quota()]));
      const answers = await admit(asked);
      expect(answers).toHaveLength(1_000);
      expect(answers.every(({ grants }) => grants[0]?.granted)).toBe(true);
    });

    it("refuse what is no quota as the bug it is", async () => {
      await expect(admit([ask(fresh("r"), [quota({ windowMs: 0 })])])).rejects.toBeInstanceOf(RangeError);
    });
  });
}
