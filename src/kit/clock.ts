/** Time as a parameter, so that a test can turn sixty days in a second. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  now(): number;
  /** Milliseconds since some moment, on a clock that nobody sets; absent where nothing can be told. */
  steadyMs?(): number;
}

export const systemClock: Clock = { now: () => Date.now(), steadyMs: () => performance.now() };
