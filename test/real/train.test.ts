/** Training is deterministic: shown on the texts that stand in the checkout. The whole is checked by scripts/train --check. */
import { expect, it } from "vitest";
import { ownSamples } from "../../scripts/lib/detect/corpus.ts";
import { FIT, fitWeights, quantise, STEP } from "../../scripts/lib/detect/fit.ts";
import { prepare, type Ready } from "../../scripts/lib/detect/measure.ts";
import { FEATURE_BITS } from "../../src/signals/features.ts";
import { encodeModel, loadModel, logitsOf } from "../../src/signals/model.ts";

const header = {
  format: "consentry-model/2",
  trained: "2026-01-01",
  sources: {},
  quality: {},
  featureBits: FEATURE_BITS,
  features: 0,
  step: STEP,
  note: "",
} as const;
const train = (samples: readonly Ready[]): Buffer =>
  encodeModel(header, quantise(fitWeights(samples, { ...FIT, orders: 1 })));

it("the same texts give the same model to the last byte, and one that has learned something", () => {
  const samples = prepare(ownSamples());
  const taught = samples.filter(({ id }) => Number(id) % 4 !== 0);
  const file = train(taught);
  expect(train(taught).equals(file)).toBe(true);
  const model = loadModel(file);
  const asked = samples.filter(({ id }) => Number(id) % 4 === 0);
  const right = asked.filter(({ features, label }) => logitsOf(model, features).advertising > 0 === (label === "ad"));
  expect(right.length / asked.length).toBeGreaterThan(0.85);
});
