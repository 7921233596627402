import { describe, expect, it } from "vitest";
import { createHands } from "../../../src/delivery/queue/hands.ts";
import type { Lease } from "../../../src/delivery/queue/spool.ts";
import { createLog } from "../../../src/kit/log.ts";

const MAX = 2;
const lease = (id: string, turn = "one.example"): Lease =>
  ({ mail: { id }, turn, due: [0], untold: [], isDelayTold: false }) as unknown as Lease;

/** Hands whose attempts and settlements end when a test says so. */
function bench() {
  const calls: string[] = [];
  const ends = new Map<string, { tried: () => void; settled: () => void }>();
  const hands = createHands({
    max: MAX,
    log: createLog("error", "json"),
    onFree: () => void calls.push("free"),
    onEnd: ({ mail }) => void calls.push(`end ${mail.id}`),
  });
  const begin = (id: string): void =>
    hands.begin(lease(id), (_, tried) => new Promise<void>((settled) => ends.set(id, { tried, settled })));
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return {
    hands,
    begin,
    calls,
    turn,
    tried: (id: string) => ends.get(id)?.tried(),
    settled: (id: string) => ends.get(id)?.settled(),
  };
}

describe("a hand", () => {
  it("is free when the attempt is over, and not only when that is on disk", async () => {
    const { hands, begin, calls, turn, tried, settled } = bench();
    begin("m1");
    begin("m2");
    expect([hands.free(), hands.of("one.example")]).toEqual([0, 2]);
    tried("m1");
    expect([hands.free(), hands.of("one.example"), calls]).toEqual([1, 1, ["free"]]);
    settled("m1");
    await turn();
    expect(calls).toEqual(["free", "end m1", "free"]);
    settled("m2");
    await turn();
    expect([hands.free(), hands.of("one.example")]).toEqual([2, 0]);
  });

  it("is not free while too many are on their way to disk", async () => {
    const { hands, begin, turn, tried, settled } = bench();
    const ids = Array.from({ length: MAX * 5 }, (_, i) => `m${i}`);
    for (const id of ids) {
      expect(hands.free()).toBeGreaterThan(0);
      begin(id);
      tried(id);
    }
    expect(hands.free()).toBe(0);
    settled("m0");
    await turn();
    expect(hands.free()).toBe(1);
  });

  it("that is only to be settled is waited for without patience, one that tries is not", async () => {
    const { hands, begin, tried, settled } = bench();
    begin("m1");
    begin("m2");
    tried("m1");
    const idle = hands.idle(0);
    setTimeout(() => settled("m1"), 20);
    expect((await idle).map(({ mail }) => mail.id)).toEqual(["m2"]);
  });
});
