import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { giveBackTo, SLOTS, takeFrom, type WindowState } from "../../src/stores/window-state.ts";

const quota = fc.record({ max: fc.integer({ min: 0, max: 40 }), windowMs: fc.integer({ min: 1, max: 5_000 }) });
const steps = fc.array(fc.record({ afterMs: fc.integer({ min: -50, max: 600 }), n: fc.integer({ min: 0, max: 7 }) }), {
  maxLength: 300,
});

describe("the sliding window", () => {
  it("never has more than its maximum granted within any span of its length, whatever the clock does", () => {
    fc.assert(
      fc.property(quota, steps, ({ max, windowMs }, taken) => {
        let state: WindowState = [];
        let nowMs = 1_000_000;
        let within: { at: number; n: number }[] = [];
        for (const { afterMs, n } of taken) {
          nowMs += afterMs;
          // What the clock has shown to be over stays over, though the clock steps back; a take of nothing leaves no time behind.
          within = within.filter(({ at }) => at > nowMs - windowMs);
          const step = takeFrom(state, { max, windowMs, n }, nowMs);
          state = step.state;
          if (step.grant.granted && n > 0) within.push({ at: Math.max(nowMs, within.at(-1)?.at ?? nowMs), n });
          expect(within.reduce((sum, each) => sum + each.n, 0)).toBeLessThanOrEqual(max);
        }
      }),
      {
        // A take of nothing, a millisecond back, and on again.
        examples: [
          [{ max: 6, windowMs: 1 }, [0, -1, 1].map((afterMs, place) => ({ afterMs, n: [0, 1, 6][place] ?? 0 }))],
        ],
      },
    );
  });

  it("frees what was taken no later than one slot after its time", () => {
    fc.assert(
      fc.property(quota, steps, ({ windowMs }, taken) => {
        const max = Number.MAX_SAFE_INTEGER;
        const slotMs = Math.ceil(windowMs / SLOTS);
        let state: WindowState = [];
        let nowMs = 1_000_000;
        const granted: { at: number; n: number }[] = [];
        for (const { afterMs, n } of taken) {
          nowMs += Math.abs(afterMs);
          const step = takeFrom(state, { max, windowMs, n }, nowMs);
          state = step.state;
          granted.push({ at: nowMs, n });
          const atMost = granted.filter(({ at }) => at > nowMs - windowMs - slotMs);
          expect(step.grant.taken).toBeLessThanOrEqual(atMost.reduce((sum, each) => sum + each.n, 0));
        }
      }),
    );
  });

  it("frees what was taken exactly when it said it would, and not a millisecond before", () => {
    const quota = { max: 1, windowMs: 700 };
    const { state, grant } = takeFrom([], quota, 5_000);
    expect(grant).toEqual({ granted: true, taken: 1, freesAtMs: 5_700 });
    expect(takeFrom(state, quota, 5_699).grant.granted).toBe(false);
    expect(takeFrom(state, quota, 5_700).grant.granted).toBe(true);
  });

  it("stays small however much is taken", () => {
    let state: WindowState = [];
    for (let nowMs = 0; nowMs < 100_000; nowMs += 1) {
      state = takeFrom(state, { max: Number.MAX_SAFE_INTEGER, windowMs: 86_400 }, nowMs).state;
    }
    expect(state.length / 2).toBeLessThanOrEqual(SLOTS + 1);
  });

  it("gives back what it was given, newest first", () => {
    expect(giveBackTo([100, 2, 200, 3], 0)).toEqual([100, 2, 200, 3]);
    expect(giveBackTo([100, 2, 200, 3], 2)).toEqual([100, 2, 200, 1]);
    expect(giveBackTo([100, 2, 200, 3], 3)).toEqual([100, 2]);
    expect(giveBackTo([100, 2, 200, 3], 4)).toEqual([100, 1]);
    expect(giveBackTo([100, 2, 200, 3], 9)).toEqual([]);
  });
});
