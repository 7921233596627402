import { describe, expect, it } from "vitest";
import { createMemoryMarks } from "../../src/stores/memory/marks.ts";
import { handClock } from "../helpers/hand-clock.ts";

const withinMs = 1_000_000;

describe("the estimate of distinct members", () => {
  it("is off by 2 % on the average over many sizes, and never by 10 %", async () => {
    const errors: number[] = [];
    for (let crowd = 0; crowd < 12; crowd += 1) {
      const marks = createMemoryMarks(handClock());
      const size = 4_000 + crowd * 2_500;
      let count = 0;
      for (let i = 0; i < size; i += 1) {
        count = await marks.distinct({ partition: "p", id: "d" }, `crowd${crowd}-${i}`, withinMs);
      }
      errors.push(Math.abs(count - size) / size);
    }
    expect(errors.reduce((sum, error) => sum + error, 0) / errors.length).toBeLessThan(0.02);
    expect(Math.max(...errors)).toBeLessThan(0.1);
  });

  it("slides: of 20,000 members spread over two windows the last window's 10,000 are counted", async () => {
    const clock = handClock();
    const marks = createMemoryMarks(clock);
    let count = 0;
    for (let i = 0; i < 20_000; i += 1) {
      await clock.pass(100);
      count = await marks.distinct({ partition: "p", id: "d" }, `m${i}`, withinMs);
    }
    expect(count).toBeGreaterThan(9_000);
    expect(count).toBeLessThan(11_000);
  });

  it("counts those who come back once", async () => {
    const marks = createMemoryMarks(handClock());
    let count = 0;
    for (let i = 0; i < 20_000; i += 1) {
      count = await marks.distinct({ partition: "p", id: "d" }, `m${i % 3_000}`, withinMs);
    }
    expect(count).toBe(3_000);
  });
});
