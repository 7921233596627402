import type { Clock } from "../../kit/clock.ts";
import type { Marks } from "../../kit/store.ts";
import { countDistinct, type DistinctState, hashOf, NEVER, type TimedSet } from "../distinct.ts";
import { checkSpan } from "../window-state.ts";
import { createExpiringMap, flat } from "./expiring.ts";

/** A Map keeps the order in which keys were put in, which here is the order of time. */
function createTimedSet(): TimedSet {
  const seen = new Map<string, number>();
  return {
    size: () => seen.size,
    touch(hash, atMs) {
      seen.delete(hash);
      seen.set(hash, atMs);
    },
    dropUntil(atMs) {
      for (const [hash, lastMs] of seen) {
        if (lastMs > atMs) return;
        seen.delete(hash);
      }
    },
    dropOldest() {
      for (const [hash, lastMs] of seen) {
        seen.delete(hash);
        return lastMs;
      }
      return NEVER;
    },
    dropIf(test) {
      for (const hash of [...seen.keys()]) if (test(hash)) seen.delete(hash);
    },
    clear: () => seen.clear(),
    entries: () => seen.entries(),
  };
}

const emptyState = (): DistinctState => ({
  newest: createTimedSet(),
  sample: createTimedSet(),
  threshold: 1,
  lostAtMs: NEVER,
});

export function createMemoryMarks(clock: Clock): Marks {
  const firsts = createExpiringMap<true>();
  const sets = createExpiringMap<DistinctState>();
  return {
    async first(key, withinMs) {
      checkSpan(withinMs);
      const nowMs = clock.now();
      if (firsts.get(flat(key), nowMs)) return false;
      firsts.set(flat(key), true, nowMs + withinMs);
      return true;
    },
    async distinct(key, member, withinMs) {
      checkSpan(withinMs);
      const nowMs = clock.now();
      const state = sets.get(flat(key), nowMs) ?? emptyState();
      sets.set(flat(key), state, nowMs + withinMs);
      return countDistinct(state, hashOf(member), { nowMs, withinMs });
    },
  };
}
