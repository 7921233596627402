import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { growthPercent } from "../../src/kit/engine.ts";

/** A heap that was made small grows to twice its size; counts how often all of it is marked meanwhile. */
const GROW = `
  import { PerformanceObserver } from "node:perf_hooks";
  import { setTimeout as delay } from "node:timers/promises";
  import { tuneEngine } from "./src/kit/engine.ts";
  import { giveMemoryBack } from "./src/kit/memory.ts";
  if (process.env.SELDOM) tuneEngine();
  const make = (count) => Array.from({ length: count }, (_, at) => ({ at, text: [at, at, at] }));
  const alive = [make(120_000)];
  giveMemoryBack();
  await delay(10);
  let marked = 0;
  new PerformanceObserver((list) => {
    for (const { detail } of list.getEntries()) if (detail.kind === 4) marked += 1;
  }).observe({ entryTypes: ["gc"] });
  for (let round = 0; round < 100; round += 1) {
    alive.push(make(2_000));
    await delay(1);
  }
  await delay(50);
  console.log(marked);
`;

const timesMarked = (env: NodeJS.ProcessEnv): number =>
  Number(
    execFileSync(process.execPath, ["--max-semi-space-size=1", "--input-type=module", "-e", GROW], {
      env: { ...process.env, NODE_NO_WARNINGS: "1", ...env },
      timeout: 20_000,
    }),
  );

it("does not mark all of the heap while it grows to twice its size", () => {
  expect(timesMarked({})).toBeGreaterThan(0);
  expect(timesMarked({ SELDOM: "1" })).toBe(0);
});

it("lets a small heap grow to four times its size, and a large one by no more bytes than that", () => {
  const mb = 1_048_576;
  expect([10, 20, 32, 64, 100, 320, 2_000].map((size) => growthPercent(size * mb))).toEqual([
    300, 240, 150, 70, 40, 10, 10,
  ]);
});
