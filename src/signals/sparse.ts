/**
 * Collects hashed features into a sparse vector of bounded size. One scratch table serves all calls, which are
 * synchronous and end with `collect`; the vectors handed out are their own.
 */
import { finish } from "./hashing.ts";

/** A sparse vector, of length 1 but for the features of a fixed value. */
export interface Features {
  readonly buckets: Int32Array;
  readonly values: Float32Array;
}

export const FEATURE_BITS = 21;
const BUCKET_MASK = (1 << FEATURE_BITS) - 1;

/** Distinct features of one mail that are kept; the first ones stay. */
const FEATURES_MAX = 24_000;
const SLOT_BITS = 16;
const SLOT_MASK = (1 << SLOT_BITS) - 1;

const slots = new Int32Array(1 << SLOT_BITS).fill(-1);
const buckets = new Int32Array(FEATURES_MAX);
const weights = new Float64Array(FEATURES_MAX);
const counts = new Int32Array(FEATURES_MAX);
/** Features whose value does not depend on how many others there are. */
const fixed: { index: number; value: number }[] = [];
/** Where each feature stands among the slots, to empty no more than was filled. */
const places = new Int32Array(FEATURES_MAX);
let used = 0;

/**
 * Adds a feature.
 *
 * @param counted repetition adds weight
 * @param times how often it is there
 * @returns its place when it is new, else -1
 */
export function add(hash: number, weight: number, counted: boolean, times = 1): number {
  const bucket = finish(hash) & BUCKET_MASK;
  let slot = Math.imul(bucket, 0x9e3779b1) >>> (32 - SLOT_BITS);
  for (;;) {
    const index = slots[slot] as number;
    if (index < 0) break;
    if (buckets[index] === bucket) {
      if (counted) counts[index] = (counts[index] as number) + times;
      return -1;
    }
    slot = (slot + 1) & SLOT_MASK;
  }
  if (used === FEATURES_MAX) return -1;
  slots[slot] = used;
  places[used] = slot;
  buckets[used] = bucket;
  weights[used] = weight;
  counts[used] = times;
  used += 1;
  return used - 1;
}

/** How often a feature was added, by its place. */
export const timesOf = (place: number): number => counts[place] as number;

/** Adds a feature that counts the same in a long text and in a short one. */
export function addFixed(hash: number, value: number): void {
  const index = add(hash, 0, false);
  if (index >= 0) fixed.push({ index, value });
}

/** What repetition makes of a feature's weight; most features occur once or twice. */
const REPEATED = Float64Array.from({ length: 64 }, (_, count) => 1 + 0.5 * Math.log(Math.max(1, count)));
const repeated = (count: number): number => REPEATED[count] ?? 1 + 0.5 * Math.log(count);

/** Empties the scratch table and makes a vector of what was in it. */
export function collect(): Features {
  let squares = 0;
  for (let index = 0; index < used; index += 1) {
    slots[places[index] as number] = -1;
    const value = (weights[index] as number) * repeated(counts[index] as number);
    weights[index] = value;
    squares += value * value;
  }
  const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
  const values = new Float32Array(used);
  for (let index = 0; index < used; index += 1) values[index] = (weights[index] as number) * scale;
  for (const { index, value } of fixed) values[index] = value;
  const features = { buckets: buckets.slice(0, used), values };
  fixed.length = 0;
  used = 0;
  return features;
}
