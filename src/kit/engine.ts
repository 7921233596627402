import { getHeapStatistics, setFlagsFromString } from "node:v8";

/** Calls of a function after which V8 compiles it as well as it can; by itself it waits for 3,000. */
const CALLS = 300;
/** How much the heap may grow before all of it is marked, bytes; as a part of what is alive, within what V8 allows at least and at most. */
const GROWTH_BYTES = 48 * 1_048_576;
const GROWTH_PERCENT_MIN = 10;
const GROWTH_PERCENT_MAX = 300;
/** A heap grows by tens of megabytes a second at most. */
const LOOK_MS = 1_000;

/**
 * For processes that serve, and run for long (docs/performance.md has both measured).
 *
 * A relay is a few thousand small functions, each run a few times for a mail, and grows faster for its first thirty thousand mails; compiled
 * after fewer calls they cost a sixth less over the first twenty thousand.
 *
 * V8 lets a heap that grows slowly grow by a tenth before it marks all of it, and thinks that cheap: it counts what its main thread does, and
 * three others mark, on processors that a mail server shares. With large mails that was two fifths of a process's processor time. A small heap
 * may therefore become several times as large; one that ten thousand connections have made large grows by no more bytes than that.
 */
export function tuneEngine(): void {
  setFlagsFromString(`--invocation-count-for-turbofan=${CALLS}`);
  let before = 0;
  const look = (): void => {
    const percent = growthPercent(getHeapStatistics().used_heap_size);
    if (percent === before) return;
    before = percent;
    setFlagsFromString(`--heap-growing-percent=${percent}`);
  };
  look();
  setInterval(look, LOOK_MS).unref();
}

/** How much a heap of so many bytes may grow before all of it is marked, per cent, in tens. */
export function growthPercent(bytes: number): number {
  const percent = Math.floor((10 * GROWTH_BYTES) / bytes) * 10;
  return Math.min(GROWTH_PERCENT_MAX, Math.max(GROWTH_PERCENT_MIN, percent));
}
