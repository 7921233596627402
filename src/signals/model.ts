/**
 * The model as a file: one line of JSON that a person can read (where it came from, when, how good it was measured), an
 * LF, then the weights: how many there are, their buckets as differences, and three signed bytes each. Less than a
 * megabyte, loaded in milliseconds into three bytes a bucket.
 */
import { Misuse } from "../kit/trouble.ts";
import { FEATURE_BITS, type Features } from "./features.ts";

/** What a mail may be. `fraud` is all that is unwanted without selling anything: phishing, advance fees, extortion, propaganda. */
export const KINDS = ["ordinary", "advertising", "fraud"] as const;
export type Kind = (typeof KINDS)[number];
export type Odds = Readonly<Record<Kind, number>>;

/**
 * What the model tells apart inside. Ordinary mail is of two manners that have little in common, people talking and
 * firms notifying: with one pair of weights for both, what is plain talk in one place would be no notice in another.
 */
export const MANNERS = ["talk", "advertising", "fraud", "notice"] as const;
/** Weights of a bucket: all manners but the first, against which they are measured. */
export const WEIGHTS_EACH = MANNERS.length - 1;

const FORMAT = "consentry-model/2";

export interface ModelHeader {
  readonly format: typeof FORMAT;
  /** Day of training, ISO 8601. */
  readonly trained: string;
  /** What it was trained from, by set: how many mails. */
  readonly sources: Readonly<Record<string, number>>;
  /** Cross-validated at training, by task: F1 and false positives, percent. */
  readonly quality: Readonly<Record<string, { readonly f1: number; readonly falsePositives: number }>>;
  readonly featureBits: number;
  readonly features: number;
  /** Value of one step of a weight. */
  readonly step: number;
  readonly note: string;
}

export interface Model {
  readonly header: ModelHeader;
  /** By bucket: the weights towards advertising, fraud and notices, all against talk. */
  readonly weights: Int8Array;
}

/** Writes a model. The same model gives the same bytes. */
export function encodeModel(header: ModelHeader, weights: Int8Array): Buffer {
  const gaps: number[] = [];
  const values: number[] = [];
  let last = -1;
  for (let bucket = 0; bucket < weights.length / WEIGHTS_EACH; bucket += 1) {
    const at = WEIGHTS_EACH * bucket;
    const [advertising, fraud, notice] = [weights[at] ?? 0, weights[at + 1] ?? 0, weights[at + 2] ?? 0];
    if (advertising === 0 && fraud === 0 && notice === 0) continue;
    putVarint(gaps, bucket - last);
    values.push(advertising & 255, fraud & 255, notice & 255);
    last = bucket;
  }
  const counted = { ...header, features: values.length / WEIGHTS_EACH };
  return Buffer.concat([Buffer.from(`${JSON.stringify(counted)}\n`), Buffer.from(gaps), Buffer.from(values)]);
}

function putVarint(out: number[], value: number): void {
  let rest = value;
  while (rest > 127) {
    out.push((rest & 127) | 128);
    rest >>>= 7;
  }
  out.push(rest);
}

/**
 * Reads a model: the one that ships (config/models/advertising.bin) or an operator's own. The caller reads the file.
 *
 * @throws Misuse when it is no model of this format, or not whole
 */
export function loadModel(file: Buffer): Model {
  const lf = file.indexOf(10);
  const header = readHeader(file.toString("utf8", 0, Math.max(0, Math.min(lf, 65_536))));
  const weights = new Int8Array(WEIGHTS_EACH << header.featureBits);
  const valuesStart = file.length - WEIGHTS_EACH * header.features;
  // Of a file that is cut short they would begin before it: it is refused below.
  const values = new Int8Array(file.subarray(Math.max(0, valuesStart)));
  let at = lf + 1;
  let bucket = -1;
  for (let index = 0; index < header.features && at < valuesStart; index += 1) {
    let shift = 0;
    let gap = 0;
    while (shift <= 21) {
      const byte = file[at] ?? 0;
      at += 1;
      gap |= (byte & 127) << shift;
      if (byte < 128) break;
      shift += 7;
    }
    bucket += gap;
    for (let each = 0; each < WEIGHTS_EACH; each += 1)
      weights[WEIGHTS_EACH * bucket + each] = values[WEIGHTS_EACH * index + each] as number;
  }
  if (at !== valuesStart || bucket >= 1 << header.featureBits)
    throw new Misuse("the model file is damaged or cut short");
  return { header, weights };
}

function readHeader(line: string): ModelHeader {
  let header: Partial<ModelHeader>;
  try {
    header = JSON.parse(line) as Partial<ModelHeader>;
  } catch {
    throw new Misuse("not a model file: its first line is no JSON");
  }
  const { format, featureBits, features, step } = header;
  if (format !== FORMAT || featureBits !== FEATURE_BITS) {
    throw new Misuse(`not a model of this version: expected ${FORMAT} with ${FEATURE_BITS} feature bits`);
  }
  const counted = Number.isInteger(features) && (features ?? -1) >= 0 && (features ?? 0) <= 1 << FEATURE_BITS;
  if (!counted || typeof step !== "number" || !(step > 0))
    throw new Misuse("the header of the model file is incomplete");
  return header as ModelHeader;
}

/** Two logits against ordinary mail. */
export interface Logits {
  advertising: number;
  fraud: number;
}

/** The sums of weights of a mail, talk and notices taken together. A few microseconds for each thousand features. */
export function logitsOf({ weights, header }: Model, { buckets, values }: Features): Logits {
  let advertising = 0;
  let fraud = 0;
  let notice = 0;
  for (let index = 0; index < buckets.length; index += 1) {
    const at = WEIGHTS_EACH * (buckets[index] as number);
    const value = values[index] as number;
    advertising += value * (weights[at] as number);
    fraud += value * (weights[at + 1] as number);
    notice += value * (weights[at + 2] as number);
  }
  const ordinary = sumOfLogits(0, notice * header.step);
  return { advertising: advertising * header.step - ordinary, fraud: fraud * header.step - ordinary };
}

/** The logit of one or the other. */
const sumOfLogits = (a: number, b: number): number => Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)));

/** Logits to probabilities that sum to 1. */
export function oddsOf({ advertising, fraud }: Logits): Odds {
  const top = Math.max(0, advertising, fraud);
  const ordinary = Math.exp(-top);
  const ads = Math.exp(advertising - top);
  const frauds = Math.exp(fraud - top);
  const sum = ordinary + ads + frauds;
  return { ordinary: ordinary / sum, advertising: ads / sum, fraud: frauds / sum };
}
