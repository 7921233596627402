/** Figures of a detector on answered questions, with 95 % confidence intervals. */
import { randomOf } from "../random.ts";

/** One answered question: what is true, and the score given. */
export interface Answer {
  readonly positive: boolean;
  readonly score: number;
}

export interface Figures {
  readonly f1: number;
  readonly precision: number;
  readonly recall: number;
  /** Share of the negatives called positive. */
  readonly falsePositives: number;
  readonly falseCount: number;
  readonly missedCount: number;
}

export function figuresAt(answers: readonly Answer[], threshold: number): Figures {
  const positives = answers.filter(({ positive }) => positive);
  const called = answers.filter(({ score }) => score >= threshold).length;
  const hit = positives.filter(({ score }) => score >= threshold).length;
  const missed = positives.length - hit;
  const alarm = called - hit;
  const quiet = answers.length - positives.length - alarm;
  return {
    f1: (2 * hit) / Math.max(1, 2 * hit + alarm + missed),
    precision: hit / Math.max(1, hit + alarm),
    recall: hit / Math.max(1, hit + missed),
    falsePositives: alarm / Math.max(1, alarm + quiet),
    falseCount: alarm,
    missedCount: missed,
  };
}

/** The threshold that, seen from the answers themselves, would have been best: an upper bound, given to the peers only. */
export function bestF1(answers: readonly Answer[]): { f1: number; threshold: number } {
  const sorted = [...answers].sort((a, b) => b.score - a.score);
  const positives = answers.filter(({ positive }) => positive).length;
  let best = { f1: 0, threshold: 1 };
  let hit = 0;
  for (const [at, { positive, score }] of sorted.entries()) {
    if (positive) hit += 1;
    if (sorted[at + 1]?.score === score) continue;
    const f1 = (2 * hit) / (positives + at + 1);
    if (f1 > best.f1) best = { f1, threshold: score };
  }
  return best;
}

/** Share of the positives found when no more than `share` of the negatives may be called positive. */
export function recallAt(answers: readonly Answer[], share: number): number {
  const negatives = answers.filter(({ positive }) => !positive).map(({ score }) => score);
  negatives.sort((a, b) => b - a);
  const limit = negatives[Math.floor(share * negatives.length)] ?? 0;
  const positives = answers.filter(({ positive }) => positive);
  return positives.filter(({ score }) => score > limit).length / Math.max(1, positives.length);
}

export interface Interval {
  readonly low: number;
  readonly high: number;
}

const ROUNDS = 1000;

/** Percentile bootstrap of F1 over groups of near-duplicates, which are drawn whole: copies are no new evidence. */
export function f1Interval(answers: readonly Answer[], groups: readonly number[], threshold: number): Interval {
  const byGroup = new Map<number, Answer[]>();
  for (const [at, answer] of answers.entries()) {
    const group = groups[at] as number;
    byGroup.set(group, [...(byGroup.get(group) ?? []), answer]);
  }
  const all = [...byGroup.values()];
  const random = randomOf(1);
  const values: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const drawn: Answer[] = [];
    for (let draw = 0; draw < all.length; draw += 1) drawn.push(...(all[Math.floor(random() * all.length)] ?? []));
    values.push(figuresAt(drawn, threshold).f1);
  }
  values.sort((a, b) => a - b);
  return { low: values[Math.floor(ROUNDS * 0.025)] ?? 0, high: values[Math.floor(ROUNDS * 0.975)] ?? 0 };
}

/** Wilson's interval of a share. */
export function wilson(hits: number, count: number): Interval {
  if (count === 0) return { low: 0, high: 1 };
  const z = 1.96;
  const share = hits / count;
  const centre = share + (z * z) / (2 * count);
  const spread = z * Math.sqrt((share * (1 - share)) / count + (z * z) / (4 * count * count));
  const scale = 1 + (z * z) / count;
  return { low: Math.max(0, (centre - spread) / scale), high: Math.min(1, (centre + spread) / scale) };
}
