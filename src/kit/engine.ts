import { setFlagsFromString } from "node:v8";

/** Calls of a function after which V8 compiles it as well as it can; by itself it waits for 3,000. */
const CALLS = 300;
/** How much the heap may grow before all of it is marked, in per cent of what was alive then: what V8 allows at most by itself. */
const GROWTH_PERCENT = 300;

/**
 * For processes that serve, and run for long (docs/performance.md has both measured).
 *
 * A relay is a few thousand small functions, each run a few times for a mail, and grows faster for its first thirty thousand mails; compiled
 * after fewer calls they cost a sixth less over the first twenty thousand.
 *
 * V8 lets a heap that grows slowly grow by a tenth before it marks all of it, and thinks that cheap: it counts what its main thread does, and
 * three others mark, on processors that a mail server shares. With large mails that was two fifths of a process's processor time.
 */
export function tuneEngine(): void {
  setFlagsFromString(`--invocation-count-for-turbofan=${CALLS}`);
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}
