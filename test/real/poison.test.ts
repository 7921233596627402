/** What teaching does to a detector that has never seen this mail, and what a batch of it with wrong labels does. docs/learning.md has the figures. */
import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { corpusDir, readCorpus } from "../../scripts/lib/detect/corpus.ts";
import { groupsOf } from "../../scripts/lib/detect/folds.ts";
import { modelOf, prepare, type Ready } from "../../scripts/lib/detect/measure.ts";
import { figuresAt } from "../../scripts/lib/detect/metrics.ts";
import { randomOf, shuffle } from "../../scripts/lib/random.ts";
import { ADVERTISING_MIN, UNWANTED_MIN } from "../../src/signals/classifier.ts";
import { type Learned, learnFrom, lessonOf } from "../../src/signals/learned.ts";
import { logitsOf, type Model, oddsOf } from "../../src/signals/model.ts";

const CORPUS = corpusDir();
const LESSONS = 200;

interface Case {
  readonly from: string;
  readonly to: string;
  readonly by: "advertising" | "unwanted";
  readonly positive: string;
}

/** Trained on one set, taught and tested on two halves of another that share no near-duplicates. */
const CASES: readonly Case[] = [
  { from: "zh-ccert", to: "zh-lists-modern", by: "advertising", positive: "ad" },
  { from: "en-spamassassin", to: "en-csdmc2010", by: "unwanted", positive: "spam" },
  { from: "zh-lists-modern", to: "zh-ccert", by: "advertising", positive: "spam" },
];

function scoreOf(model: Model, sample: Ready, by: Case["by"], learned?: Learned): number {
  const logits = logitsOf(model, sample.features);
  const odds = oddsOf({ ...logits, advertising: logits.advertising + (learned?.shift(sample.features) ?? 0) });
  return by === "advertising" ? odds.advertising : 1 - odds.ordinary;
}

function halves(samples: readonly Ready[]): { taught: Ready[]; tested: Ready[] } {
  const groups = groupsOf(samples);
  const order = samples.map((_, at) => at);
  shuffle(order, randomOf(7));
  const taught = order.filter((at) => (groups[at] ?? 0) % 2 === 0).slice(0, LESSONS);
  const tested = order.filter((at) => (groups[at] ?? 0) % 2 === 1);
  const pick = (places: readonly number[]): Ready[] => places.flatMap((at) => samples[at] ?? []);
  return { taught: pick(taught), tested: pick(tested) };
}

async function play({ from, to, by, positive }: Case) {
  const model = modelOf(prepare(readCorpus(CORPUS, [from])));
  const { taught, tested } = halves(prepare(readCorpus(CORPUS, [to])));
  const isPositive = ({ label }: Ready): boolean => label === positive;
  const lessons = (wrong: number) =>
    taught.map((sample, at) => {
      const right = isPositive(sample);
      return lessonOf(sample.features, (at < wrong * taught.length ? !right : right) ? "ad" : "not", at);
    });
  const figures = (learned?: Learned) =>
    figuresAt(
      tested.map((sample) => ({ positive: isPositive(sample), score: scoreOf(model, sample, by, learned) })),
      by === "advertising" ? ADVERTISING_MIN : UNWANTED_MIN,
    );
  const after = async (wrong: number) => figures(await learnFrom(lessons(wrong), model));
  const none = await learnFrom([], model);
  return {
    before: figures(),
    right: await after(0),
    poisoned: await after(0.1),
    worse: await after(0.3),
    forgotten: figures(none),
  };
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

describe.skipIf(!existsSync(CORPUS))("a batch with wrong labels (needs the corpora beside the checkout)", () => {
  it.each(CASES)("trained on $from, taught 200 mails of $to", { timeout: 240_000 }, async (each) => {
    const { before, right, poisoned, worse, forgotten } = await play(each);
    const row = ({ f1, falsePositives }: typeof before): string =>
      `F1 ${percent(f1)}, false alarms ${percent(falsePositives)}`;
    console.log(
      [
        `${each.from} -> ${each.to}`,
        `  before        ${row(before)}`,
        `  200 right     ${row(right)}`,
        `  10 % wrong    ${row(poisoned)}`,
        `  30 % wrong    ${row(worse)}`,
      ].join("\n"),
    );
    expect(right.f1, "teaching helps").toBeGreaterThan(before.f1 - 0.005);
    expect(poisoned.f1, "one wrong label in ten does less harm than teaching does good").toBeGreaterThan(
      right.f1 - 0.05,
    );
    expect(poisoned.falsePositives).toBeLessThan(Math.max(right.falsePositives, before.falsePositives) + 0.05);
    expect(forgotten, "forgetting leaves nothing behind").toEqual(before);
  });
});
