import { describe, expect, it } from "vitest";
import { createLease } from "../../src/kit/lease.ts";
import { createMemoryStore } from "../../src/stores/memory/store.ts";
import { handClock } from "../helpers/hand-clock.ts";

const TTL_MS = 30_000;

function asked() {
  const clock = handClock();
  const { tables } = createMemoryStore(clock);
  const key = { partition: "node-1", id: "keeper" };
  const of = (owner: string) => createLease(tables, clock, { key, owner, ttlMs: TTL_MS });
  return { clock, tables, of };
}

describe("a lease", () => {
  it("is held by one, however many ask at once", async () => {
    const { of } = asked();
    const answers = await Promise.all(["a", "b", "c", "d"].map((owner) => of(owner).hold()));
    expect(answers.filter(Boolean)).toHaveLength(1);
  });

  it("is renewed by its owner and kept from others", async () => {
    const { clock, of } = asked();
    const [first, second] = [of("a"), of("b")];
    expect(await first.hold()).toBe(true);
    for (let round = 0; round < 5; round += 1) {
      await clock.pass(TTL_MS - 1);
      expect([await first.hold(), await second.hold()]).toEqual([true, false]);
    }
  });

  it("passes to another when its time is over, and not back", async () => {
    const { clock, of } = asked();
    const [first, second] = [of("a"), of("b")];
    await first.hold();
    await clock.pass(TTL_MS);
    expect([await second.hold(), await first.hold()]).toEqual([true, false]);
  });

  it("passes at once when it is given back, and only its owner can do that", async () => {
    const { of } = asked();
    const [first, second] = [of("a"), of("b")];
    await first.hold();
    await second.release();
    expect(await second.hold()).toBe(false);
    await first.release();
    expect(await second.hold()).toBe(true);
  });

  it("is not held for ever by a clock that was wrong when it was taken", async () => {
    const { tables, of } = asked();
    const ahead = { now: () => 1_700_000_000_000 + 365 * 86_400_000 };
    const key = { partition: "node-1", id: "keeper" };
    await createLease(tables, ahead, { key, owner: "a", ttlMs: TTL_MS }).hold();
    expect(await of("b").hold()).toBe(true);
  });
});
