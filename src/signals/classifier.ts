/**
 * What a mail is, by its words: advertising, fraud or ordinary mail, with a probability each. The model judges Chinese,
 * Vietnamese and English; of other languages it says so and nothing more. Learned feedback (learned.ts) moves the
 * result. Pure: no store, no clock.
 */
import { type Features, featuresOf, type ReadMail, wordsAndLanguage } from "./features.ts";
import type { Language } from "./language.ts";
import { type Logits, logitsOf, type Model, type Odds, oddsOf } from "./model.ts";
import type { Wording } from "./normal.ts";

/** What feedback adds to the model's word (learned.ts). */
export interface Correction {
  /** Added to the logit of advertising. */
  shift(features: Features): number;
}

export interface Judgement {
  readonly odds: Odds;
  /** Probability that it advertises, 0 to 1: what rules ask for. 0 when the language is not one the model knows. */
  readonly advertising: number;
  /** Probability that it is advertising or fraud, 0 to 1; 0 likewise. */
  readonly unwanted: number;
  readonly language: Language;
  /** How much feedback moved the logit of advertising. */
  readonly learned: number;
  readonly words: Wording;
  readonly features: Features;
}

/** From which probability a mail counts as detected, where the operator says nothing else: docs/detector.md. */
export const ADVERTISING_MIN = 0.65;
export const UNWANTED_MIN = 0.5;

/** Judges one mail: less than a millisecond for 4 KB, bounded for any. */
export function judge(mail: ReadMail, model: Model, learned?: Correction): Judgement {
  const { words, language } = wordsAndLanguage(mail);
  const features = featuresOf(mail, { words, language });
  const base = logitsOf(model, features);
  const shift = learned ? learned.shift(features) : 0;
  const logits: Logits = { advertising: base.advertising + shift, fraud: base.fraud };
  const odds = oddsOf(logits);
  const known = language !== "other";
  return {
    odds,
    advertising: known ? odds.advertising : 0,
    unwanted: known ? 1 - odds.ordinary : 0,
    language,
    learned: shift,
    words,
    features,
  };
}
