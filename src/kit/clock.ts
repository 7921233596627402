/** Time as a parameter, so that a test can turn sixty days in a second. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  now(): number;
  /** Milliseconds since some moment, on a clock that nobody sets, the same for all processes of the machine; absent where nothing can be told. */
  steadyMs?(): number;
}

/** When this process started, on the machine's clock: one call of performance.now() costs less than one of hrtime. */
const STARTED_MS = Number(process.hrtime.bigint() / 1_000n) / 1_000 - performance.now();

export const systemClock: Clock = { now: () => Date.now(), steadyMs: () => STARTED_MS + performance.now() };
