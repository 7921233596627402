import type { Clock } from "../../src/kit/clock.ts";

/** A clock that stands still until it is turned by hand. */
export interface HandClock extends Clock {
  pass(ms: number): Promise<void>;
}

export function handClock(startMs = 1_700_000_000_000): HandClock {
  let nowMs = startMs;
  return {
    now: () => nowMs,
    pass: async (ms) => {
      nowMs += Math.max(0, ms);
    },
  };
}
