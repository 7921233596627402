import { describe, expect, it } from "vitest";
import { Misuse } from "../../src/kit/trouble.ts";
import { FEATURE_BITS } from "../../src/signals/features.ts";
import { encodeModel, loadModel, logitsOf, type ModelHeader, oddsOf, WEIGHTS_EACH } from "../../src/signals/model.ts";

const header: ModelHeader = {
  format: "consentry-model/2",
  trained: "2026-01-02",
  sources: { some: 3 },
  quality: {},
  featureBits: FEATURE_BITS,
  features: 0,
  step: 0.5,
  note: "for a test",
};
const weightsOf = (...set: [bucket: number, advertising: number, fraud: number, notice: number][]): Int8Array => {
  const weights = new Int8Array(WEIGHTS_EACH << FEATURE_BITS);
  for (const [bucket, ...each] of set) weights.set(each, WEIGHTS_EACH * bucket);
  return weights;
};
const LAST = (1 << FEATURE_BITS) - 1;
const sample = encodeModel(header, weightsOf([0, 4, -2, -100], [300, -127, 127, -100], [LAST, 0, 1, 0]));

describe("a model's file", () => {
  it("gives back what was written, the first and the last bucket among it", () => {
    const { header: read, weights } = loadModel(sample);
    expect(read).toEqual({ ...header, features: 3 });
    const written = weightsOf([0, 4, -2, -100], [300, -127, 127, -100], [LAST, 0, 1, 0]);
    expect(Buffer.compare(Buffer.from(weights.buffer), Buffer.from(written.buffer))).toBe(0);
  });

  it("begins with a line that people can read", () => {
    expect(JSON.parse(sample.toString("utf8", 0, sample.indexOf(10)))).toMatchObject({ trained: "2026-01-02" });
  });

  const damaged: [title: string, file: Buffer][] = [
    ["nothing", Buffer.alloc(0)],
    ["another kind of file", Buffer.from("hello\nworld")],
    ["a file cut short", sample.subarray(0, -1)],
    ["a file with something behind it", Buffer.concat([sample, Buffer.from("x")])],
    ["another version", Buffer.from(`${JSON.stringify({ ...header, format: "consentry-model/9" })}\n`)],
    ["another size of vector", Buffer.from(`${JSON.stringify({ ...header, featureBits: 12 })}\n`)],
    ["a step that is none", Buffer.from(`${JSON.stringify({ ...header, step: 0 })}\n`)],
    [
      "more weights than it says",
      Buffer.from(sample.toString("latin1").replace('"features":3', '"features":2'), "latin1"),
    ],
    [
      "an absurd number of weights",
      Buffer.from(sample.toString("latin1").replace('"features":3', '"features":2000000'), "latin1"),
    ],
  ];
  it.each(damaged)("%s is refused with a word to the operator", (_, file) =>
    expect(() => loadModel(file)).toThrow(Misuse),
  );
});

describe("what a model says", () => {
  it("is the sum of its weights by the mail's values", () => {
    const features = { buckets: Int32Array.of(0, 300, 5), values: Float32Array.of(0.5, 0.25, 0.8) };
    const { advertising, fraud } = logitsOf(loadModel(sample), features);
    expect(advertising).toBeCloseTo(0.5 * (0.5 * 4 - 0.25 * 127));
    expect(fraud).toBeCloseTo(0.5 * (0.5 * -2 + 0.25 * 127));
  });

  it("is measured against talk and notices together", () => {
    const features = { buckets: Int32Array.of(LAST), values: Float32Array.of(1) };
    const notice = encodeModel(header, weightsOf([LAST, 40, 0, 40]));
    expect(logitsOf(loadModel(notice), features).advertising).toBeCloseTo(-Math.log(1 + Math.exp(-20)));
    expect(logitsOf(loadModel(notice), features).fraud).toBeCloseTo(-20);
  });

  it("are odds that sum to 1, however large the sums", () => {
    for (const logits of [
      { advertising: 0, fraud: 0 },
      { advertising: 900, fraud: -900 },
      { advertising: -900, fraud: -900 },
    ]) {
      const { ordinary, advertising, fraud } = oddsOf(logits);
      expect(ordinary + advertising + fraud).toBeCloseTo(1);
    }
    expect(oddsOf({ advertising: 0, fraud: 0 }).ordinary).toBeCloseTo(1 / 3);
  });
});
