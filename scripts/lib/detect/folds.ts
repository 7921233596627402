/**
 * Cross-validation with near-duplicates kept together: texts that share a beginning, an end or a few minhashes of their
 * letters form a group, and a group is never split between training and testing. Stricter than the split between the
 * development half and the half kept back, so that templates with another name in front count once.
 */

import { wordsOf } from "../../../src/signals/features.ts";
import { finish, SEED, step } from "../../../src/signals/hashing.ts";
import { randomOf } from "../random.ts";
import type { Sample } from "./corpus.ts";

const FAMILIES = 12;
const ROWS = 3;
const RUN = 6;
const HEAD_CHARS = 40;
const TAIL_CHARS = 60;
const CHARS_MAX = 3_000;
/** Keys of shorter texts say nothing. */
const KEY_CHARS_MIN = 10;

/** Looser: texts with the same beginning, which is how the corpora themselves were split into halves. */
export const groupsOfBeginnings = (samples: readonly Sample[]): number[] =>
  groupsBy(samples, (sample) => keysOf(sample).slice(0, 1));

/** The group of each sample, named by its first member. */
export const groupsOf = (samples: readonly Sample[]): number[] => groupsBy(samples, keysOf);

function groupsBy(samples: readonly Sample[], keysOf: (sample: Sample) => string[]): number[] {
  const parent = samples.map((_, at) => at);
  const rootOf = (at: number): number => {
    let root = at;
    while (parent[root] !== root) root = parent[root] as number;
    return root;
  };
  const seen = new Map<string, number>();
  for (const [at, sample] of samples.entries()) {
    for (const key of keysOf(sample)) {
      const other = seen.get(key);
      if (other === undefined) seen.set(key, at);
      else parent[rootOf(at)] = rootOf(other);
    }
  }
  return samples.map((_, at) => rootOf(at));
}

function keysOf(sample: Sample): string[] {
  if (sample.set.startsWith("own-")) return [`own ${sample.set} ${sample.id}`];
  const { subject, body } = wordsOf(sample.mail);
  const letters = `${subject} ${body}`.replace(/[\s\d\p{P}\p{S}]+/gu, "").slice(0, CHARS_MAX);
  if (letters.length < KEY_CHARS_MIN) return [];
  const keys = [`head ${letters.slice(0, HEAD_CHARS)}`, `tail ${letters.slice(-TAIL_CHARS)}`];
  if (letters.length <= 2 * KEY_CHARS_MIN) return keys;
  const minima = minhashes(letters);
  for (let band = 0; band < FAMILIES / ROWS; band += 1) {
    keys.push(`min ${band} ${minima.slice(band * ROWS, (band + 1) * ROWS).join()}`);
  }
  return keys;
}

function minhashes(letters: string): number[] {
  const minima = new Array<number>(FAMILIES).fill(0xffffffff);
  for (let at = 0; at + RUN <= letters.length; at += 1) {
    let hash = SEED;
    for (let next = at; next < at + RUN; next += 1) hash = step(hash, letters.charCodeAt(next));
    for (let family = 0; family < FAMILIES; family += 1) {
      const value = finish(hash ^ Math.imul(family + 1, 0x9e3779b9));
      if (value < (minima[family] as number)) minima[family] = value;
    }
  }
  return minima;
}

/** The fold of each sample: groups whole, sets and labels spread evenly. */
export function foldsOf(
  samples: readonly Sample[],
  groups: readonly number[],
  options: { folds: number; seed: number },
): number[] {
  const sizes = new Map<number, number>();
  for (const group of groups) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  const sizeOf = (at: number): number => sizes.get(groups[at] as number) ?? 0;
  const random = randomOf(options.seed);
  const lots = samples.map(() => random());
  const order = samples
    .map((_, at) => at)
    .sort((a, b) => sizeOf(b) - sizeOf(a) || (lots[a] as number) - (lots[b] as number));
  const foldOfGroup = new Map<number, number>();
  const filled = new Map<string, number[]>();
  for (const at of order) {
    const group = groups[at] as number;
    const kind = `${samples[at]?.set} ${samples[at]?.label}`;
    const load = filled.get(kind) ?? new Array<number>(options.folds).fill(0);
    filled.set(kind, load);
    const fold = foldOfGroup.get(group) ?? load.indexOf(Math.min(...load));
    foldOfGroup.set(group, fold);
    load[fold] = (load[fold] ?? 0) + 1;
  }
  return groups.map((group) => foldOfGroup.get(group) as number);
}
