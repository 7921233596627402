/**
 * How many different members within a time: exact up to EXACT_MAX, beyond that an estimate with a standard error below
 * 2 %. Written once over timed sets; redis/scripts.ts says the same in Lua.
 *
 * `newest` always keeps the EXACT_MAX members seen last. While none that it had to drop is still within the time, its
 * size is the answer. From the moment one is, `sample` keeps every member whose hash lies below a threshold, which is
 * halved whenever more than SAMPLE_MAX are kept: size / threshold is the answer, and as each kept member carries its
 * time, the estimate slides with the window like the exact count does. When what was dropped has aged out, the sample is
 * thrown away and the count is exact again.
 *
 * One key is always asked with one `withinMs`; after asking with a longer one, what is older is known to nobody.
 */
import { createHash } from "node:crypto";

export const EXACT_MAX = 1000;
/** Between half of it and all of it is kept: standard error 1 / sqrt(2,500 … 5,000) = 2.0 … 1.4 %. */
export const SAMPLE_MAX = 5000;

/** Before all times. */
export const NEVER = Number.MIN_SAFE_INTEGER;

const HASH_DIGITS = 12;
const HASH_SPAN = 2 ** 48;

/** Members with the time each was last seen, ordered by it. */
export interface TimedSet {
  size(): number;
  /** Adds, or moves to the new time. Times never go back. */
  touch(hash: string, atMs: number): void;
  /** Drops everything last seen at or before. */
  dropUntil(atMs: number): void;
  /** Drops the one seen longest ago. @returns when it was last seen */
  dropOldest(): number;
  /** Drops what the test picks. */
  dropIf(test: (hash: string) => boolean): void;
  clear(): void;
  entries(): Iterable<readonly [hash: string, atMs: number]>;
}

export interface DistinctState {
  readonly newest: TimedSet;
  readonly sample: TimedSet;
  /** Share of all hashes that the sample keeps, 1 … 0. */
  threshold: number;
  /** When the latest member that `newest` had to drop was last seen; NEVER: none yet. */
  lostAtMs: number;
}

/** 48 bits of SHA-256 in hex: members of any length become small, and no address is stored. */
export const hashOf = (member: string): string =>
  createHash("sha256").update(member).digest("hex").slice(0, HASH_DIGITS);

const shareOf = (hash: string): number => Number.parseInt(hash, 16) / HASH_SPAN;

function startSample(state: DistinctState): void {
  state.threshold = 1;
  for (const [hash, atMs] of state.newest.entries()) state.sample.touch(hash, atMs);
}

function keepInSample(state: DistinctState, hash: string, nowMs: number): void {
  if (shareOf(hash) >= state.threshold) return;
  state.sample.touch(hash, nowMs);
  while (state.sample.size() > SAMPLE_MAX) {
    state.threshold /= 2;
    state.sample.dropIf((kept) => shareOf(kept) >= state.threshold);
  }
}

/** Adds a member's hash and answers how many different ones there were within the time. */
export function countDistinct(state: DistinctState, hash: string, time: { nowMs: number; withinMs: number }): number {
  const cutMs = time.nowMs - time.withinMs;
  state.newest.dropUntil(cutMs);
  state.newest.touch(hash, time.nowMs);
  if (state.newest.size() > EXACT_MAX) {
    if (state.lostAtMs <= cutMs) {
      state.sample.clear();
      startSample(state);
    }
    state.lostAtMs = state.newest.dropOldest();
  }
  if (state.lostAtMs <= cutMs) {
    if (state.sample.size() > 0) state.sample.clear();
    return state.newest.size();
  }
  state.sample.dropUntil(cutMs);
  keepInSample(state, hash, time.nowMs);
  return Math.max(state.newest.size(), Math.round(state.sample.size() / state.threshold));
}
