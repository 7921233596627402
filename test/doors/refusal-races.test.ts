import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../src/kit/clock.ts";
import type { Store } from "../../src/kit/store.ts";
import { openLmdbStore } from "../../src/stores/lmdb/store.ts";
import { type LeftOut, playRefusal } from "../helpers/refusal-world.ts";
import { tempDir } from "../helpers/temp.ts";

const SEED = Number(process.env.REFUSAL_SEED ?? 20_261_122);
const RUNS = Number(process.env.REFUSAL_RUNS ?? 100);
const picks = fc.array(fc.nat(5_000), { minLength: 20, maxLength: 160 });

let store: Store;
let histories = 0;
/** Advertisements that came before the refusals: a world in which none does would prove nothing. */
let deliveredInTime = 0;
beforeAll(async () => {
  store = await openLmdbStore({ dir: tempDir(), timeoutMs: 10_000, clock: systemClock });
});
afterAll(() => store.close());

/** Plays so many histories. @returns the first in which an advertisement overtook the refusal */
async function search(leftOut: LeftOut, numRuns: number): Promise<string | undefined> {
  let found: string | undefined;
  const property = fc.asyncProperty(picks, async (list) => {
    histories += 1;
    const { overtaken, acknowledged, history, delivered } = await playRefusal(store.tables, `${histories}`, {
      picks: list,
      leftOut,
    });
    deliveredInTime += delivered;
    if (overtaken) found = history.join("\n");
    return !overtaken && acknowledged;
  });
  const { failed, counterexample } = await fc.check(property, { seed: SEED, numRuns, endOnFailure: true });
  return failed ? (found ?? `nobody heard of his refusal: ${JSON.stringify(counterexample)}`) : undefined;
}

describe("after a refusal is acknowledged", () => {
  it("no interleaving of workers, retries and restarts delivers another advertisement", {
    timeout: 120_000 + RUNS * 300,
  }, async () => {
    expect(await search("nothing", RUNS)).toBeUndefined();
    expect(deliveredInTime).toBeGreaterThan(RUNS / 4);
  });

  it.each<LeftOut>(["the last question", "the wait", "the flight"])(
    "one is found that does when %s is left out, so the search would see it",
    { timeout: 120_000 + RUNS * 300 },
    async (leftOut) => {
      expect((await search(leftOut, 1_500)) ?? "nothing found").toContain("DELIVERED AFTER ALL");
    },
  );
});
