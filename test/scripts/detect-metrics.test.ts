import { describe, expect, it } from "vitest";
import { bestF1, f1Interval, figuresAt, recallAt, wilson } from "../../scripts/lib/detect/metrics.ts";

const answers = [
  { positive: true, score: 0.9 },
  { positive: true, score: 0.6 },
  { positive: true, score: 0.2 },
  { positive: false, score: 0.7 },
  { positive: false, score: 0.1 },
  { positive: false, score: 0.1 },
];

describe("figures of a detector", () => {
  it("count what is found, missed and wrongly called", () => {
    const { f1, precision, recall, falsePositives, falseCount, missedCount } = figuresAt(answers, 0.5);
    expect({ precision, recall, falseCount, missedCount }).toEqual({
      precision: 2 / 3,
      recall: 2 / 3,
      falseCount: 1,
      missedCount: 1,
    });
    expect([f1, falsePositives]).toEqual([2 / 3, 1 / 3]);
  });

  it("know the threshold that hindsight would choose, answers of one score going together", () => {
    expect(bestF1(answers)).toEqual({ f1: 6 / 7, threshold: 0.2 });
    expect(
      bestF1([
        { positive: true, score: 0.5 },
        { positive: false, score: 0.5 },
      ]),
    ).toEqual({ f1: 2 / 3, threshold: 0.5 });
  });

  it("know how much is found when no ordinary mail may be called anything", () => {
    expect(recallAt(answers, 0)).toBe(1 / 3);
  });

  it("of nothing are nothing", () => {
    expect(figuresAt([], 0.5)).toMatchObject({ f1: 0, falsePositives: 0 });
    expect(wilson(0, 0)).toEqual({ low: 0, high: 1 });
  });
});

describe("intervals", () => {
  it("of a share are Wilson's", () => {
    const { low, high } = wilson(5, 100);
    expect([low.toFixed(3), high.toFixed(3)]).toEqual(["0.022", "0.112"]);
  });

  it("of F1 are wider when the mails are copies of each other", () => {
    const many = Array.from({ length: 100 }, (_, at) => ({
      positive: at % 2 === 0,
      score: at % 10 === 0 ? 0.3 : at % 2 === 0 ? 0.9 : 0.1,
    }));
    const apart = f1Interval(
      many,
      many.map((_, at) => at),
      0.5,
    );
    const copies = f1Interval(
      many,
      many.map((_, at) => at % 10),
      0.5,
    );
    expect(copies.high - copies.low).toBeGreaterThan(apart.high - apart.low);
  });
});
