import { describe, expect, it } from "vitest";
import { createStep, pressureAbove, pressureBelow, pressureNear } from "../../src/admission/pressure.ts";

describe("pressure", () => {
  it.each([
    ["a lag at its limit", pressureAbove(500, 500), 1],
    ["twice", pressureAbove(1_000, 500), 2],
    ["four times", pressureAbove(2_000, 500), 3],
    ["none", pressureAbove(0, 500), 0],
    ["half", pressureAbove(250, 500), 0],
    ["a disk with its reserve left", pressureBelow(200, 200), 1],
    ["half of it", pressureBelow(100, 200), 2],
    ["nothing", pressureBelow(0, 200), 3],
    ["a disk nobody looks at", pressureBelow(0, 0), 0],
    ["a disk that could not be asked", pressureBelow(Number.POSITIVE_INFINITY, 200), 0],
    ["memory at its limit", pressureNear(100, 100), 1],
    ["a tenth above", pressureNear(110, 100), 2],
    ["half of it", pressureNear(50, 100), 0],
  ])("of %s is %d", (_, pressure, expected) => expect(pressure).toBeCloseTo(expected, 5));
});

describe("a step", () => {
  it("goes up at once, as far as it has to", () => {
    const step = createStep();
    expect([step(0.9, 0), step(3.7, 1), step(99, 2)]).toEqual([0, 3, 3]);
  });

  it("goes down only after two seconds of calm, one level at a time", () => {
    const step = createStep();
    step(3, 0);
    expect([100, 2_000, 2_200, 4_000, 4_300, 6_400].map((at) => step(0, at))).toEqual([3, 3, 2, 2, 1, 0]);
  });

  it("does not go down just below its threshold, nor forget calm that was broken", () => {
    const step = createStep();
    step(1, 0);
    for (let at = 100; at < 10_000; at += 100) expect(step(0.8, at)).toBe(1);
    expect([step(0.5, 10_000), step(0.9, 11_900), step(0.5, 12_000), step(0.5, 13_900), step(0.5, 14_000)]).toEqual([
      1, 1, 1, 1, 0,
    ]);
  });
});
