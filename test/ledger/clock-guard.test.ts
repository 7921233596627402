import { describe, expect, it } from "vitest";
import { createClockGuard, judgeClock, type Moment } from "../../src/ledger/clock-guard.ts";
import { createMemoryTables } from "../../src/stores/memory/tables.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const LAST: Moment = { nowMs: Date.parse("2026-11-22T10:00Z"), uptimeMs: 50 * DAY_MS, bootId: "a" };
/** So much later on the clock and since the machine was started. */
const later = (clockMs: number, upMs: number, bootId = "a"): Moment => ({
  nowMs: LAST.nowMs + clockMs,
  uptimeMs: bootId === "a" ? LAST.uptimeMs + upMs : upMs,
  bootId,
});

describe("a clock is believed", () => {
  it.each<[string, Moment, boolean]>([
    ["when time has passed", later(40 * DAY_MS, 40 * DAY_MS), true],
    ["when it was turned a little", later(DAY_MS + HOUR_MS, DAY_MS), true],
    ["when it was set back", later(-DAY_MS, HOUR_MS), true],
    ["not when it was set forward", later(DAY_MS + HOUR_MS + 1, DAY_MS), false],
    ["not when it was set forward by a year", later(365 * DAY_MS, 5_000), false],
    ["when the machine was off for a week", later(7 * DAY_MS, 5_000, "b"), true],
    ["not when it was off for longer", later(7 * DAY_MS + 1, 5_000, "b"), false],
    ["not when the clock of another start is a year ahead", later(365 * DAY_MS, 5_000, "b"), false],
  ])("%s", (_, now, believed) => {
    expect(judgeClock(LAST, now, 7).believed).toBe(believed);
  });

  it("when nothing is known of an earlier moment", () => {
    expect(judgeClock(undefined, LAST, 7)).toEqual({ believed: true, jumpMs: 0 });
  });
});

describe("the guard of the clock", () => {
  const guard = () => createClockGuard(createMemoryTables(), "relay-1", () => 7);

  it("goes on doubting until the clock is right again or somebody confirms it", async () => {
    const one = guard();
    await one.check(LAST);
    expect((await one.check(later(365 * DAY_MS, 1))).believed).toBe(false);
    expect((await one.check(later(366 * DAY_MS, DAY_MS))).believed).toBe(false);
    expect((await one.check(later(2 * DAY_MS, 2 * DAY_MS))).believed).toBe(true);
    expect((await one.check(later(400 * DAY_MS, 3 * DAY_MS))).believed).toBe(false);
    await one.confirm(later(400 * DAY_MS, 3 * DAY_MS));
    expect((await one.check(later(401 * DAY_MS, 4 * DAY_MS))).believed).toBe(true);
  });

  it("does not take a clock that was set back and forth for a clock that is right", async () => {
    const one = guard();
    await one.check(LAST);
    expect((await one.check(later(-100 * DAY_MS, 1))).believed).toBe(true);
    expect((await one.check(later(365 * DAY_MS, 2))).believed).toBe(false);
  });

  it("goes by what was written last when its store has forgotten", async () => {
    expect((await guard().check(later(365 * DAY_MS, 0), LAST.nowMs)).believed).toBe(false);
    expect((await guard().check(later(DAY_MS, 0), LAST.nowMs)).believed).toBe(true);
  });

  it("tells of a doubt once, and again when another day has become due", async () => {
    const one = guard();
    expect(await one.isNews(["2026-11-01"])).toBe(true);
    await one.told(["2026-11-01"]);
    expect(await one.isNews(["2026-11-01"])).toBe(false);
    expect(await one.isNews(["2026-11-01", "2026-11-02"])).toBe(true);
    await one.confirm(LAST);
    expect(await one.isNews(["2026-11-01"])).toBe(true);
  });
});
