/**
 * Training: a linear model over three kinds (softmax), fitted by stochastic gradient steps whose size adapts to each
 * feature (Adagrad), so that rare features count. A label may allow several kinds; then their sum is made likely. Runs
 * from several starting orders are averaged, which is worth more than any other setting. Everything is seeded: the same
 * samples give the same weights to the last bit.
 */
import { FEATURE_BITS, type Features } from "../../../src/signals/features.ts";
import { randomOf, shuffle } from "../random.ts";

export interface Lesson {
  readonly features: Features;
  /** Bits of the kinds allowed (corpus.ts). */
  readonly allowed: number;
}

export interface FitOptions {
  readonly epochs: number;
  /** Step size before adaptation. */
  readonly rate: number;
  /** Pull towards nothing. */
  readonly decay: number;
  /** Orders of the samples that are averaged. */
  readonly orders: number;
}

export const FIT: FitOptions = Object.freeze({ epochs: 6, rate: 0.5, decay: 2e-5, orders: 4 });

const KIND_COUNT = 3;
const SIZE = KIND_COUNT << FEATURE_BITS;
/** Gradients smaller than this move nothing worth the time. */
const GRADIENT_MIN = 1e-4;
const FIRST_SQUARE = 1e-6;

/** @returns weights by bucket and kind: three neighbours a bucket */
export function fitWeights(taught: readonly Lesson[], options: FitOptions = FIT): Float64Array {
  const lessons = withoutSingles(taught);
  const sum = new Float64Array(SIZE);
  for (let order = 0; order < options.orders; order += 1) {
    const weights = fitOnce(lessons, options, 7 + order * 1001);
    for (let at = 0; at < SIZE; at += 1) sum[at] = (sum[at] as number) + (weights[at] as number) / options.orders;
  }
  return sum;
}

/** What only one mail has teaches nothing about others, and half of all features are of that kind. */
function withoutSingles(lessons: readonly Lesson[]): Lesson[] {
  const seen = new Uint16Array(1 << FEATURE_BITS);
  for (const { features } of lessons)
    for (const bucket of features.buckets) seen[bucket] = (seen[bucket] as number) + 1;
  return lessons.map(({ features, allowed }) => {
    const kept = [...features.buckets.keys()].filter((at) => (seen[features.buckets[at] as number] as number) > 1);
    const buckets = Int32Array.from(kept, (at) => features.buckets[at] as number);
    return { features: { buckets, values: Float32Array.from(kept, (at) => features.values[at] as number) }, allowed };
  });
}

function fitOnce(lessons: readonly Lesson[], options: FitOptions, seed: number): Float64Array {
  const weights = new Float64Array(SIZE);
  const squares = new Float64Array(SIZE).fill(FIRST_SQUARE);
  const random = randomOf(seed);
  const order = lessons.map((_, at) => at);
  for (let epoch = 0; epoch < options.epochs; epoch += 1) {
    shuffle(order, random);
    for (const at of order) {
      const lesson = lessons[at] as Lesson;
      const gradients = gradientsOf(weights, lesson);
      for (let kind = 0; kind < KIND_COUNT; kind += 1) {
        const gradient = gradients[kind] as number;
        if (Math.abs(gradient) >= GRADIENT_MIN)
          update({ weights, squares, options }, lesson.features, { kind, gradient });
      }
    }
  }
  return weights;
}

/** Probability of each kind. */
export function oddsBy(weights: Float64Array, { buckets, values }: Features): [number, number, number] {
  let a = 0;
  let b = 0;
  let c = 0;
  for (let index = 0; index < buckets.length; index += 1) {
    const at = KIND_COUNT * (buckets[index] as number);
    const value = values[index] as number;
    a += value * (weights[at] as number);
    b += value * (weights[at + 1] as number);
    c += value * (weights[at + 2] as number);
  }
  const top = Math.max(a, b, c);
  const odds: [number, number, number] = [Math.exp(a - top), Math.exp(b - top), Math.exp(c - top)];
  const sum = odds[0] + odds[1] + odds[2];
  return [odds[0] / sum, odds[1] / sum, odds[2] / sum];
}

/** How far each kind is from what the label allows: its probability less its share of what is allowed. */
function gradientsOf(weights: Float64Array, { features, allowed }: Lesson): number[] {
  const odds = oddsBy(weights, features);
  let allowedSum = 0;
  for (const [kind, share] of odds.entries()) if (allowed & (1 << kind)) allowedSum += share;
  return odds.map((share, kind) => share - (allowed & (1 << kind) ? share / Math.max(allowedSum, 1e-12) : 0));
}

interface Fitting {
  readonly weights: Float64Array;
  readonly squares: Float64Array;
  readonly options: FitOptions;
}

function update(
  { weights, squares, options }: Fitting,
  { buckets, values }: Features,
  by: { kind: number; gradient: number },
): void {
  for (let index = 0; index < buckets.length; index += 1) {
    const at = KIND_COUNT * (buckets[index] as number) + by.kind;
    const slope = by.gradient * (values[index] as number) + options.decay * (weights[at] as number);
    const square = (squares[at] as number) + slope * slope;
    squares[at] = square;
    weights[at] = (weights[at] as number) - (options.rate / Math.sqrt(square)) * slope;
  }
}

/** Weights smaller than this share nothing with a verdict and are left out of the file. */
const THIN = 0.2;
/** Largest weight the file holds; the few beyond are cut. */
const WEIGHT_MAX = 8;
export const STEP = WEIGHT_MAX / 127;

/** Two signed bytes a bucket: advertising and fraud, both against ordinary. */
export function quantise(weights: Float64Array): Int8Array {
  const bytes = new Int8Array(2 << FEATURE_BITS);
  for (let bucket = 0; bucket < 1 << FEATURE_BITS; bucket += 1) {
    const ordinary = weights[KIND_COUNT * bucket] as number;
    const advertising = (weights[KIND_COUNT * bucket + 1] as number) - ordinary;
    const fraud = (weights[KIND_COUNT * bucket + 2] as number) - ordinary;
    if (Math.abs(advertising) < THIN && Math.abs(fraud) < THIN) continue;
    bytes[2 * bucket] = toByte(advertising);
    bytes[2 * bucket + 1] = toByte(fraud);
  }
  return bytes;
}

const toByte = (weight: number): number => Math.max(-127, Math.min(127, Math.round(weight / STEP)));
