import { expect, it } from "vitest";
import { createBackoff } from "../../src/supervisor/backoff.ts";

it("waits twice as long each time, never longer than half a minute, and never gives up", () => {
  const { next } = createBackoff();
  const waits = Array.from({ length: 12 }, () => next(50));
  expect(waits.slice(0, 4)).toEqual([100, 200, 400, 800]);
  expect(waits.slice(-3)).toEqual([30_000, 30_000, 30_000]);
});

it("begins anew with whoever has lived for a minute", () => {
  const { next } = createBackoff();
  for (let death = 0; death < 6; death += 1) next(50);
  expect([next(60_000), next(50)]).toEqual([100, 200]);
});
