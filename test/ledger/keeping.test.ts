import { describe, expect, it } from "vitest";
import { dueAt } from "../../src/ledger/keeping.ts";
import { DAY_MS, HOUR_MS, mailEntries, openTestLedger, START_MS, type TestLedger } from "../helpers/archive.ts";

/** Each run writes and flushes files, which takes its time on a busy disk. */
const SLOW = { timeout: 60_000 };
const dayOf = (index: number): string => new Date(START_MS + index * DAY_MS).toISOString().slice(0, 10);
const daysOf = async (ledger: TestLedger): Promise<string[]> =>
  (await ledger.archive.sealed()).map(({ seal }) => seal.date);
/** Dates in the evidence of entries of an event. */
const told = async (ledger: TestLedger, event: "day-deleted" | "day-sealed" | "clock-doubted"): Promise<unknown[]> =>
  (await ledger.find({ event })).map(({ evidence }) => evidence?.date ?? evidence?.last);

/** Mails of one day, then the night after it, in which the house is kept. */
async function live(ledger: TestLedger, days: number): Promise<string[]> {
  const deleted: string[] = [];
  for (let day = 0; day < days; day += 1) {
    await ledger.journal.append(mailEntries([ledger.clock.nowMs, ledger.clock.nowMs + 60_000]));
    ledger.pass(DAY_MS);
    deleted.push(...(await ledger.keep()).deleted);
  }
  return deleted;
}

/** Days of mails that are two hours over, and a retention that is over soon. */
async function aged(days: number, retentionDays: number): Promise<TestLedger> {
  const ledger = await openTestLedger({ retentionDays });
  ledger.pass(2 * HOUR_MS);
  await live(ledger, days);
  return ledger;
}

describe("a day whose time is over", SLOW, () => {
  it("is not deleted a millisecond early", async () => {
    const ledger = await aged(3, 3);
    const dueMs = dueAt(dayOf(0), 3);
    ledger.pass(dueMs - ledger.clock.nowMs - 1);
    expect((await ledger.keep()).deleted).toEqual([]);
    ledger.pass(1);
    expect((await ledger.keep()).deleted).toEqual([dayOf(0)]);
  });

  it("stays while a case holds it, and goes when the hold is released", async () => {
    const ledger = await openTestLedger({ retentionDays: 3 });
    ledger.pass(2 * HOUR_MS);
    await ledger.holds.set({ case: "2026-117", reason: "order", by: "ann", since: dayOf(1), until: dayOf(2) });
    expect(await live(ledger, 7)).toEqual([dayOf(0), dayOf(3)]);
    expect((await ledger.keep()).held).toEqual([1, 2].map((day) => ({ date: dayOf(day), case: "2026-117" })));
    await ledger.holds.release("2026-117", "bob");
    expect((await ledger.keep()).deleted).toEqual([dayOf(1), dayOf(2)]);
  });

  it("is not deleted while nobody can tell which days are held", async () => {
    const ledger = await aged(4, 3);
    ledger.pass(DAY_MS);
    await expect(ledger.keep({ holds: () => Promise.reject(new Error("store away")) })).rejects.toThrow("store away");
    expect(await daysOf(ledger)).toContain(dayOf(1));
    expect((await ledger.keep()).deleted).toEqual([dayOf(1)]);
  });

  it("goes later when the service was stopped, with all that became due meanwhile", async () => {
    const ledger = await aged(4, 3);
    ledger.clock.nowMs += 3 * DAY_MS;
    Object.assign(ledger.clock, { uptimeMs: 5_000, bootId: "boot-2" });
    expect((await ledger.keep()).deleted).toEqual([dayOf(1), dayOf(2), dayOf(3)]);
  });

  it("is written down as deleted before it is gone, whatever happens in between", async () => {
    const ledger = await aged(4, 3);
    ledger.pass(DAY_MS);
    const broken = { ...ledger.archive, remove: () => Promise.reject(new Error("disk")) };
    await expect(ledger.keep({ archive: broken })).rejects.toThrow("disk");
    expect(await told(ledger, "day-deleted")).toContain(dayOf(1));
    expect((await ledger.keep()).deleted).toEqual([dayOf(1)]);
  });
});

describe("a clock that jumps", SLOW, () => {
  it("a year forward deletes nothing until somebody confirms it, and is told once", async () => {
    const ledger = await aged(4, 3);
    const before = await daysOf(ledger);
    ledger.clock.nowMs += 365 * DAY_MS;
    const { deleted, doubted } = await ledger.keep();
    expect(deleted).toEqual([]);
    // The day that was going on counts as over by that clock.
    const all = [...before, dayOf(4)];
    expect(doubted).toEqual({ dates: all, jumpMs: 365 * DAY_MS });
    ledger.pass(HOUR_MS);
    await ledger.keep();
    expect(await told(ledger, "clock-doubted")).toEqual([dayOf(4)]);
    expect(await daysOf(ledger)).toEqual(all);
    await ledger.confirmClock();
    expect((await ledger.keep()).deleted).toEqual(all);
  });

  it("forward with a restart of the machine deletes nothing either", async () => {
    const ledger = await aged(4, 3);
    ledger.clock.nowMs += 365 * DAY_MS;
    Object.assign(ledger.clock, { uptimeMs: 5_000, bootId: "boot-2" });
    expect((await ledger.keep()).deleted).toEqual([]);
  });

  it("forward and back again loses nothing, and all goes on as if it had not been", async () => {
    const ledger = await aged(4, 3);
    ledger.clock.nowMs += 365 * DAY_MS;
    await ledger.keep();
    ledger.clock.nowMs -= 365 * DAY_MS;
    expect((await ledger.keep()).deleted).toEqual([]);
    expect(await live(ledger, 2)).toEqual([dayOf(1), dayOf(2)]);
  });

  it("back deletes nothing early and seals nothing twice", async () => {
    const ledger = await aged(4, 3);
    const before = await daysOf(ledger);
    ledger.clock.nowMs -= 30 * DAY_MS;
    expect(await ledger.keep()).toMatchObject({ deleted: [], sealed: [] });
    ledger.clock.nowMs += 30 * DAY_MS;
    await ledger.keep();
    expect(await daysOf(ledger)).toEqual(before);
  });
});

describe("seals", SLOW, () => {
  it("are told of once each, in their order, also those that a crash kept from it", async () => {
    const ledger = await openTestLedger();
    const anchors: number[] = [];
    const onSealed = async ({ seal }: { seal: { seq: number } }): Promise<void> => {
      anchors.push(seal.seq);
    };
    await ledger.journal.append(mailEntries([START_MS, START_MS + DAY_MS, START_MS + 2 * DAY_MS]));
    ledger.pass(3 * DAY_MS + 2 * HOUR_MS);
    await expect(ledger.keep({ onSealed: () => Promise.reject(new Error("crash")) })).rejects.toThrow("crash");
    await ledger.keep({ onSealed });
    await ledger.keep({ onSealed });
    expect(anchors).toEqual([1, 2, 3]);
    expect([...new Set(await told(ledger, "day-sealed"))]).toEqual([0, 1, 2].map(dayOf));
  });
});
