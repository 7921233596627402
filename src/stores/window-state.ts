/**
 * The sliding window, as arithmetic: memory and LMDB keep this state and step it; redis/scripts.ts says the same in
 * Lua, and the contract suite holds both to one behaviour.
 *
 * What was taken within one slot, a five-hundredth of the window, is kept as one sum under the time of its latest part.
 * So a window never holds more than SLOTS + 1 sums however large its quota, and never grants more than `max`: at
 * worst a part falls out one slot late.
 */
import type { Grant } from "../kit/store.ts";

export const SLOTS = 500;

/** Times (ms since the epoch) and amounts in turn, oldest first: [at, n, at, n, …]. */
export type WindowState = readonly number[];

export interface Quota {
  readonly max: number;
  readonly windowMs: number;
  readonly n?: number;
}

const isWhole = (value: number, min: number): boolean => Number.isSafeInteger(value) && value >= min;

/** A span of time is whole milliseconds, from 1. @throws RangeError */
export function checkSpan(ms: number): void {
  if (!isWhole(ms, 1)) throw new RangeError(`not a span of time: ${ms} ms`);
}

/** An amount is a whole number, from 0. @throws RangeError */
export function checkAmount(n: number): void {
  if (!isWhole(n, 0)) throw new RangeError(`not an amount: ${n}`);
}

/** Fills in what a quota leaves out. @throws RangeError for what is no amount or no span of time */
export function checkQuota({ max, windowMs, n = 1 }: Quota): Required<Quota> {
  checkAmount(max);
  checkAmount(n);
  checkSpan(windowMs);
  return { max, windowMs, n };
}

const slotMs = (windowMs: number): number => Math.ceil(windowMs / SLOTS);

function sum(state: WindowState): number {
  let total = 0;
  for (let i = 1; i < state.length; i += 2) total += state[i] ?? 0;
  return total;
}

/** Drops what fell out of the window: what was taken `windowMs` ago or earlier. */
function live(state: WindowState, windowMs: number, nowMs: number): number[] {
  let from = 0;
  while (from < state.length && (state[from] ?? 0) <= nowMs - windowMs) from += 2;
  return state.slice(from);
}

function add(state: number[], n: number, windowMs: number, nowMs: number): void {
  const last = state.at(-2);
  // The clock of a machine may step back; times in the state never do.
  const at = last === undefined ? nowMs : Math.max(last, nowMs);
  const slot = slotMs(windowMs);
  if (last !== undefined && Math.floor(last / slot) === Math.floor(at / slot)) {
    state.splice(-2, 2, at, (state.at(-1) ?? 0) + n);
  } else {
    state.push(at, n);
  }
}

/** One `take`: the state after it, and what to answer. */
export function takeFrom(before: WindowState, quota: Quota, nowMs: number): { state: WindowState; grant: Grant } {
  const { max, windowMs, n } = checkQuota(quota);
  const state = live(before, windowMs, nowMs);
  const earlier = sum(state);
  const granted = earlier + n <= max;
  if (granted && n > 0) add(state, n, windowMs, nowMs);
  const oldest = state[0];
  const freesAtMs = oldest === undefined ? nowMs : oldest + windowMs;
  return { state, grant: { granted, taken: granted ? earlier + n : earlier, freesAtMs } };
}

/** The state after giving `n` back, newest first; giving back more than was taken empties it. */
export function giveBackTo(before: WindowState, n: number): WindowState {
  checkAmount(n);
  const state = [...before];
  let left = n;
  while (left > 0 && state.length > 0) {
    const newest = state.at(-1) ?? 0;
    if (newest > left) state[state.length - 1] = newest - left;
    else state.length -= 2;
    left -= Math.min(newest, left);
  }
  return state;
}
