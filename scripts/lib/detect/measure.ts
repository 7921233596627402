/** Cross-validation of the whole way from wording to score, on the model as it would ship: quantised and thinned. */
import { ADVERTISING_MIN, UNWANTED_MIN } from "../../../src/signals/classifier.ts";
import { FEATURE_BITS, type Features, featuresOf, wordsAndLanguage } from "../../../src/signals/features.ts";
import { logitsOf, type Model, type Odds, oddsOf } from "../../../src/signals/model.ts";
import type { Sample } from "./corpus.ts";
import { type FitOptions, fitWeights, quantise, STEP } from "./fit.ts";
import type { Answer } from "./metrics.ts";
import { membersOf, type Task } from "./tasks.ts";

/** A sample with its features, computed once. */
export interface Ready extends Sample {
  readonly features: Features;
  /** In a language the model may speak about. */
  readonly known: boolean;
}

export const prepare = (samples: readonly Sample[]): Ready[] =>
  samples.map((sample) => {
    const read = wordsAndLanguage(sample.mail);
    return { ...sample, features: featuresOf(sample.mail, read), known: read.language !== "other" };
  });

const BLANK = { format: "consentry-model/2", trained: "", sources: {}, quality: {}, features: 0, note: "" } as const;

export const modelOf = (samples: readonly Ready[], options?: FitOptions): Model => ({
  header: { ...BLANK, featureBits: FEATURE_BITS, step: STEP },
  weights: quantise(fitWeights(samples, options)),
});

export interface Scores {
  readonly advertising: number;
  readonly unwanted: number;
}

const SILENT: Scores = { advertising: 0, unwanted: 0 };

export const scoresOf = (model: Model, { features, known }: Ready): Scores => {
  const odds: Odds = oddsOf(logitsOf(model, features));
  return known ? { advertising: odds.advertising, unwanted: 1 - odds.ordinary } : SILENT;
};

/** Scores of each sample by a model that has seen neither it nor anything like it. */
export function crossValidate(samples: readonly Ready[], folds: readonly number[], options?: FitOptions): Scores[] {
  const scores = samples.map(() => SILENT);
  for (const fold of new Set([...folds].sort())) {
    const model = modelOf(
      samples.filter((_, at) => folds[at] !== fold),
      options,
    );
    for (const [at, sample] of samples.entries()) if (folds[at] === fold) scores[at] = scoresOf(model, sample);
  }
  return scores;
}

/** The answers of a task, with the places of their samples. */
export function answersTo(
  task: Task,
  samples: readonly Sample[],
  scores: readonly Scores[],
): { answers: Answer[]; members: number[] } {
  const members = membersOf(task, samples);
  const answers = members.map((at): Answer => {
    const score = scores[at]?.[task.by] ?? 0;
    return { positive: task.isPositive(samples[at]?.label ?? ""), score };
  });
  return { answers, members };
}

export const thresholdOf = (task: Task): number => (task.by === "advertising" ? ADVERTISING_MIN : UNWANTED_MIN);
