/**
 * Training: a linear model over four manners (softmax), fitted by stochastic gradient steps whose size adapts to each
 * feature (Adagrad), so that rare features count. A label may allow several manners; then their sum is made likely. Runs
 * from several starting orders are averaged, every second one on features stretched by how much they tell. Everything is seeded: the same
 * samples give the same weights to the last bit.
 */
import { FEATURE_BITS, type Features } from "../../../src/signals/features.ts";
import { MANNERS, WEIGHTS_EACH } from "../../../src/signals/model.ts";
import { randomOf, shuffle } from "../random.ts";

export interface Lesson {
  readonly features: Features;
  /** Bits of the manners allowed (corpus.ts). */
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

/** Weights of the features that any were learned for. */
export interface Fitted {
  /** The bucket of each feature. */
  readonly buckets: Int32Array;
  /** A weight for each manner, feature after feature. */
  readonly weights: Float64Array;
}

const EACH = MANNERS.length;
/** Gradients smaller than this move nothing worth the time. */
const GRADIENT_MIN = 1e-4;
const FIRST_SQUARE = 1e-6;

export function fitWeights(taught: readonly Lesson[], options: FitOptions = FIT): Fitted {
  const { lessons, buckets } = numbered(taught);
  const telling = tellingOf(lessons, buckets.length);
  const alike = new Float64Array(buckets.length).fill(1);
  const sum = new Float64Array(EACH * buckets.length);
  for (let order = 0; order < options.orders; order += 1) {
    const stretch = order % 2 === 0 ? alike : telling;
    const weights = fitOnce({ lessons, stretch, options }, 7 + order * 1001);
    for (let at = 0; at < sum.length; at += 1) sum[at] = (sum[at] as number) + (weights[at] as number) / options.orders;
  }
  return { buckets, weights: sum };
}

/** What a feature is worth that is as frequent in ordinary mail as elsewhere. */
const TELLING_MIN = 0.3;
const ORDINARY_ONLY = 1 + 8;
const UNWANTED_ONLY = 2 + 4;

/**
 * How much a feature alone tells: the logarithm of how much more frequent it is in one class than in the other, as naive
 * Bayes has it. Features stretched by it before a fit make the words that matter move first (Wang and Manning, 2012:
 * naive Bayes as features of a linear model).
 */
function tellingOf(lessons: readonly Lesson[], count: number): Float64Array {
  const unwanted = new Float64Array(count).fill(1);
  const ordinary = new Float64Array(count).fill(1);
  for (const { features, allowed } of lessons) {
    const counts = (allowed & ORDINARY_ONLY) === 0 ? unwanted : (allowed & UNWANTED_ONLY) === 0 ? ordinary : undefined;
    if (counts) for (const number of features.buckets) counts[number] = (counts[number] as number) + 1;
  }
  const sum = (counts: Float64Array): number => counts.reduce((a, b) => a + b, 0);
  const bias = Math.log(sum(ordinary) / sum(unwanted));
  return unwanted.map((each, at) => TELLING_MIN + Math.abs(Math.log(each / (ordinary[at] as number)) + bias));
}

/**
 * What only one mail has teaches nothing about others, and half of all features are of that kind: it is left out. The
 * rest are numbered through, so that what is worked on lies close together.
 */
function numbered(taught: readonly Lesson[]): { lessons: Lesson[]; buckets: Int32Array } {
  const seen = new Uint16Array(1 << FEATURE_BITS);
  for (const { features } of taught) for (const bucket of features.buckets) seen[bucket] = (seen[bucket] as number) + 1;
  const buckets = Int32Array.from(seen.keys()).filter((bucket) => (seen[bucket] as number) > 1);
  const numbers = new Int32Array(1 << FEATURE_BITS);
  for (const [number, bucket] of buckets.entries()) numbers[bucket] = number;
  const lessons = taught.map(({ features, allowed }) => {
    const own = new Int32Array(features.buckets.length);
    const values = new Float32Array(own.length);
    let count = 0;
    for (const [at, bucket] of features.buckets.entries()) {
      if ((seen[bucket] as number) < 2) continue;
      own[count] = numbers[bucket] as number;
      values[count] = features.values[at] as number;
      count += 1;
    }
    return { features: { buckets: own.slice(0, count), values: values.slice(0, count) }, allowed };
  });
  return { lessons, buckets };
}

interface Task {
  readonly lessons: readonly Lesson[];
  /** What each feature is stretched by. */
  readonly stretch: Float64Array;
  readonly options: FitOptions;
}

function fitOnce({ lessons: plain, stretch, options }: Task, seed: number): Float64Array {
  const lessons = plain.map((lesson) => stretched(lesson, stretch));
  const weights = new Float64Array(EACH * stretch.length);
  const squares = new Float64Array(EACH * stretch.length).fill(FIRST_SQUARE);
  const random = randomOf(seed);
  const order = lessons.map((_, at) => at);
  const gradients = new Float64Array(EACH);
  for (let epoch = 0; epoch < options.epochs; epoch += 1) {
    shuffle(order, random);
    for (const at of order) {
      const lesson = lessons[at] as Lesson;
      setGradients(gradients, weights, lesson);
      for (let manner = 0; manner < EACH; manner += 1) {
        const gradient = gradients[manner] as number;
        if (Math.abs(gradient) >= GRADIENT_MIN)
          update({ weights, squares, options }, lesson.features, { manner, gradient });
      }
    }
  }
  return weights.map((weight, at) => weight * (stretch[Math.floor(at / EACH)] as number));
}

const stretched = ({ features, allowed }: Lesson, stretch: Float64Array): Lesson => {
  const values = features.values.slice();
  for (const [at, number] of features.buckets.entries())
    values[at] = (values[at] as number) * (stretch[number] as number);
  return { features: { buckets: features.buckets, values }, allowed };
};

/** How far each manner is from what the label allows: its probability less its share of what is allowed. */
function setGradients(gradients: Float64Array, weights: Float64Array, { features, allowed }: Lesson): void {
  const { buckets, values } = features;
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let index = 0; index < buckets.length; index += 1) {
    const at = EACH * (buckets[index] as number);
    const value = values[index] as number;
    a += value * (weights[at] as number);
    b += value * (weights[at + 1] as number);
    c += value * (weights[at + 2] as number);
    d += value * (weights[at + 3] as number);
  }
  gradients.set([a, b, c, d]);
  let top = gradients[0] as number;
  for (let manner = 1; manner < EACH; manner += 1) top = Math.max(top, gradients[manner] as number);
  let sum = 0;
  let allowedSum = 0;
  for (let manner = 0; manner < EACH; manner += 1) {
    const odds = Math.exp((gradients[manner] as number) - top);
    gradients[manner] = odds;
    sum += odds;
    if (allowed & (1 << manner)) allowedSum += odds;
  }
  for (let manner = 0; manner < EACH; manner += 1) {
    const odds = gradients[manner] as number;
    gradients[manner] = odds / sum - (allowed & (1 << manner) ? odds / Math.max(allowedSum, 1e-12) : 0);
  }
}

interface Fitting {
  readonly weights: Float64Array;
  readonly squares: Float64Array;
  readonly options: FitOptions;
}

function update(
  { weights, squares, options }: Fitting,
  { buckets, values }: Features,
  by: { manner: number; gradient: number },
): void {
  for (let index = 0; index < buckets.length; index += 1) {
    const at = EACH * (buckets[index] as number) + by.manner;
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

/** Signed bytes: of each bucket the manners but the first, against which they are measured. */
export function quantise({ buckets, weights }: Fitted): Int8Array {
  const bytes = new Int8Array(WEIGHTS_EACH << FEATURE_BITS);
  for (const [index, bucket] of buckets.entries()) {
    const [first = 0, ...others] = weights.subarray(EACH * index, EACH * (index + 1));
    const against = others.map((weight) => weight - first);
    if (against.every((weight) => Math.abs(weight) < THIN)) continue;
    for (const [each, weight] of against.entries()) bytes[WEIGHTS_EACH * bucket + each] = toByte(weight);
  }
  return bytes;
}

const toByte = (weight: number): number => Math.max(-127, Math.min(127, Math.round(weight / STEP)));
