import { PerformanceObserver } from "node:perf_hooks";
import { setImmediate as turn } from "node:timers/promises";
import { expect, it } from "vitest";
import { buffersMade } from "../../src/kit/memory.ts";

const PIECE_BYTES = 51_200;
const PIECES = 12_000;

/** How often all of the heap was marked while 600 MB of buffers came and went. */
async function marksWhile(make: (bytes: number) => Buffer): Promise<number> {
  let marks = 0;
  const observer = new PerformanceObserver((list) => {
    const kinds = list.getEntries().map((entry) => (entry as unknown as { detail: { kind: number } }).detail.kind);
    marks += kinds.filter((kind) => kind === MARK_COMPACT).length;
  });
  observer.observe({ entryTypes: ["gc"] });
  let last: Buffer = Buffer.alloc(0);
  for (let piece = 0; piece < PIECES; piece += 1) {
    last = make(PIECE_BYTES);
    if (piece % 50 === 0) await turn();
  }
  await turn();
  expect(last.length).toBe(PIECE_BYTES);
  observer.disconnect();
  return marks;
}

const MARK_COMPACT = 4;

it("spares V8 the marking of all of the heap for buffers that nobody holds", async () => {
  const leftAlone = await marksWhile((bytes) => Buffer.allocUnsafeSlow(bytes));
  const dropped = await marksWhile((bytes) => {
    buffersMade(bytes);
    return Buffer.allocUnsafeSlow(bytes);
  });
  expect(leftAlone).toBeGreaterThan(3);
  expect(dropped).toBeLessThan(leftAlone / 2);
});
