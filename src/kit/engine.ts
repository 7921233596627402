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
