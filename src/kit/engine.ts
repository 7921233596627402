import { setFlagsFromString } from "node:v8";

/** Calls of a function after which V8 compiles it as well as it can; by itself it waits for 3,000. */
const CALLS = 300;

/**
 * A relay is a few thousand small functions, each run a few times for a mail, and grows faster for its first thirty thousand mails; compiled
 * after fewer calls they cost a sixth less over the first twenty thousand (docs/performance.md). For processes that run for long.
 */
export function compileSooner(): void {
  setFlagsFromString(`--invocation-count-for-turbofan=${CALLS}`);
}

/** How much the heap may grow before all of it is marked, in per cent of what was alive then: what V8 allows at most by itself. */
const GROWTH_PERCENT = 300;

/**
 * V8 lets a heap that grows slowly grow by a tenth before it marks all of it, and thinks that cheap: it counts what its main thread does, and
 * three others mark. With large mails that is two fifths of a process's processor time, on processors that a mail server shares.
 */
export function collectSeldom(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}
