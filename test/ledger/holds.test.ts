import { describe, expect, it } from "vitest";
import { createHoldRegister, type Hold, holdOn } from "../../src/ledger/holds.ts";
import { createMemoryTables } from "../../src/stores/memory/tables.ts";

const NOW = Date.parse("2026-11-22T10:00Z");
const register = (clock = { now: () => NOW }) => createHoldRegister(createMemoryTables(), clock);
const wanted = { case: "2026-117", reason: "court order", by: "ann" };

describe("the register of legal holds", () => {
  it("keeps who set and released what, and when", async () => {
    const clock = { nowMs: NOW, now: () => clock.nowMs };
    const holds = register(clock);
    await holds.set({ ...wanted, since: "2026-11-01" });
    clock.nowMs += 1_000;
    expect(await holds.release("2026-117", "bob")).toMatchObject({ releasedBy: "bob", releasedAt: NOW + 1_000 });
    clock.nowMs += 1_000;
    await holds.set({ ...wanted, by: "bob" });
    expect(await holds.list()).toEqual([
      { ...wanted, since: "2026-11-01", setAt: NOW, releasedBy: "bob", releasedAt: NOW + 1_000 },
      { ...wanted, by: "bob", setAt: NOW + 2_000 },
    ]);
  });

  it("holds a case once, and releases only what stands", async () => {
    const holds = register();
    expect(await holds.release("2026-117", "bob")).toBeUndefined();
    await holds.set(wanted);
    await expect(holds.set(wanted)).rejects.toThrow("case 2026-117 is held already");
  });

  it.each<[string, Partial<Hold>, readonly string[]]>([
    ["every day without an end", {}, ["2020-01-01", "2026-11-01", "2026-11-02", "2026-11-22", "2099-01-01"]],
    ["from its first day", { since: "2026-11-02" }, ["2026-11-02", "2026-11-22", "2099-01-01"]],
    ["to its last day", { until: "2026-11-02" }, ["2020-01-01", "2026-11-01", "2026-11-02"]],
    ["both days and what is between", { since: "2026-11-01", until: "2026-11-02" }, ["2026-11-01", "2026-11-02"]],
    ["nothing once it is released", { releasedAt: NOW }, []],
  ])("covers %s", (_, more, expected) => {
    const hold = { ...wanted, setAt: NOW, ...more };
    const days = ["2020-01-01", "2026-11-01", "2026-11-02", "2026-11-22", "2099-01-01"];
    expect(days.filter((day) => holdOn(day, [hold]))).toEqual(expected);
  });
});
