/**
 * What operators and recipients taught: each taught mail is one lesson, a small record without its words (hashed
 * features, the label, when). Lessons are the state, so that forgetting is removing a record, the order does not matter
 * and nodes agree as soon as they hold the same records. From them a correction to the model's logit is fitted; with
 * none it is nothing. How far a poisoned batch gets: docs/learning.md.
 */
import { setImmediate as breathe } from "node:timers/promises";
import { FEATURE_BITS, type Features } from "./features.ts";
import { finish } from "./hashing.ts";
import { logitsOf, type Model, oddsOf } from "./model.ts";

export type Taught = "ad" | "not";

/** One taught mail, as it is stored. JSON. */
export interface Lesson {
  readonly label: Taught;
  /** Base64: three bytes a feature, 21 bits of bucket and 3 of value. */
  readonly sketch: string;
  readonly atMs: number;
}

export interface Learned {
  /** What is added to the logit of advertising. */
  shift(features: Features): number;
  /** How many lessons it stands on. */
  readonly lessons: number;
}

export const LESSON_LIMITS = Object.freeze({
  /** Lessons that count; of more, the oldest go. */
  lessonsMax: 2_000,
  /** Reports of recipients that are kept. */
  reportsMax: 2_000,
  /** Features kept of one mail: 1.5 KB of text. */
  featuresMax: 384,
});

/** Nothing learned. */
export const UNTAUGHT: Learned = Object.freeze({ shift: () => 0, lessons: 0 });

const VALUE_STEPS = 7;
/** Values above this are cut: only the shortest texts have them. */
const VALUE_MAX = 0.5;

/** Makes the record of a lesson. Of a long mail a fixed sample of its features is kept, the heaviest first. */
export function lessonOf(features: Features, label: Taught, atMs: number): Lesson {
  const order = Array.from(features.buckets.keys()).sort((a, b) => rank(features, b) - rank(features, a));
  const kept = order.slice(0, LESSON_LIMITS.featuresMax);
  const sketch = Buffer.alloc(3 * kept.length);
  for (const [index, from] of kept.entries()) {
    const share = Math.min(1, (features.values[from] ?? 0) / VALUE_MAX);
    const value = Math.max(1, Math.round(Math.sqrt(share) * VALUE_STEPS));
    sketch.writeUIntBE((features.buckets[from] ?? 0) * 8 + value, 3 * index, 3);
  }
  return { label, sketch: sketch.toString("base64"), atMs };
}

/** By value in coarse classes, then in an order that has nothing to do with the words. */
const rank = ({ buckets, values }: Features, at: number): number =>
  Math.round((values[at] ?? 0) * 64) + finish(buckets[at] ?? 0) / 2 ** 33;

/** Reads a record back; of one that is damaged, what can be read. */
export function readSketch({ sketch }: Lesson): Features {
  const bytes = Buffer.from(sketch, "base64");
  const count = Math.min(LESSON_LIMITS.featuresMax, Math.floor(bytes.length / 3));
  const buckets = new Int32Array(count);
  const values = new Float32Array(count);
  for (let index = 0; index < count; index += 1) {
    const packed = bytes.readUIntBE(3 * index, 3);
    buckets[index] = (packed >>> 3) & ((1 << FEATURE_BITS) - 1);
    values[index] = ((packed & 7) / VALUE_STEPS) ** 2 * VALUE_MAX;
  }
  return { buckets, values };
}

/** The correction is kept in this many buckets; folding two together is rare enough. */
const SHIFT_BITS = 18;
const SHIFT_MASK = (1 << SHIFT_BITS) - 1;

const FIT = Object.freeze({
  epochs: 12,
  /** Step of the first epoch; a mail taught once moves its own logit by about three. */
  rate: 1.5,
  /** Share of a weight that is lost an epoch. */
  decay: 0.02,
  /** The correction of one mail never exceeds this: the model keeps a say. */
  shiftMax: 6,
  /** Lessons between two breaths: about a millisecond. */
  breathEvery: 50,
});

interface Exercise {
  readonly features: Features;
  readonly base: { readonly advertising: number; readonly fraud: number };
  readonly target: number;
}

/**
 * Fits the correction to all lessons. The same lessons give the same correction, in whatever order they come. Lets the
 * event loop breathe every millisecond or so; 2,000 lessons take about a tenth of a second in all.
 */
export async function learnFrom(lessons: readonly Lesson[], model: Model): Promise<Learned> {
  if (lessons.length === 0) return UNTAUGHT;
  const sorted = [...lessons].sort((a, b) =>
    a.sketch < b.sketch ? -1 : a.sketch > b.sketch ? 1 : a.label < b.label ? -1 : 1,
  );
  const exercises = sorted.slice(0, LESSON_LIMITS.lessonsMax).map((lesson): Exercise => {
    const features = readSketch(lesson);
    return { features, base: logitsOf(model, features), target: lesson.label === "ad" ? 1 : 0 };
  });
  const weights = new Float32Array(1 << SHIFT_BITS);
  for (let epoch = 0; epoch < FIT.epochs; epoch += 1) {
    const rate = FIT.rate / (1 + epoch / 4);
    for (const [index, exercise] of exercises.entries()) {
      practise(weights, exercise, rate);
      if (index % FIT.breathEvery === FIT.breathEvery - 1) await breathe();
    }
    for (let bucket = 0; bucket < weights.length; bucket += 1)
      weights[bucket] = (weights[bucket] as number) * (1 - FIT.decay);
    await breathe();
  }
  return { shift: (features) => bounded(dot(weights, features)), lessons: exercises.length };
}

function practise(weights: Float32Array, { features, base, target }: Exercise, rate: number): void {
  const advertising = base.advertising + bounded(dot(weights, features));
  const missed = target - oddsOf({ advertising, fraud: base.fraud }).advertising;
  const { buckets, values } = features;
  for (let index = 0; index < buckets.length; index += 1) {
    const bucket = (buckets[index] as number) & SHIFT_MASK;
    weights[bucket] = (weights[bucket] as number) + rate * missed * (values[index] as number);
  }
}

function dot(weights: Float32Array, { buckets, values }: Features): number {
  let sum = 0;
  for (let index = 0; index < buckets.length; index += 1) {
    sum += (weights[(buckets[index] as number) & SHIFT_MASK] as number) * (values[index] as number);
  }
  return sum;
}

const bounded = (shift: number): number => Math.max(-FIT.shiftMax, Math.min(FIT.shiftMax, shift));
