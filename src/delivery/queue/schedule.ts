/** When a mail is tried again. RFC 5321 4.5.4.1: twice in the first hour, then every two or three hours, for four or five days. */

/** What the configuration says of times; seconds as it has them, everything else in ms. */
export interface Times {
  /** Between attempts of one mail; the last holds from then on. */
  readonly retrySeconds: readonly number[];
  /** The same for a destination that does not answer. */
  readonly destinationRetrySeconds: readonly number[];
  /** Each wait is longer or shorter by up to this part of it, so that what failed together does not come back together. */
  readonly jitter: number;
  readonly lifetimeHours: number;
  /** 0: nobody is told of a delay. */
  readonly delayNoticeHours: number;
}

const SECOND_MS = 1_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

/** @param attempts so far, ≥ 1. @param random 0 … 1. @returns ms to wait */
export function waitMs(seconds: readonly number[], attempts: number, jitter: number, random = Math.random()): number {
  const plain = seconds[Math.min(Math.max(1, attempts), seconds.length) - 1] ?? HOUR_MS / SECOND_MS;
  return Math.round(plain * SECOND_MS * (1 + jitter * (2 * random - 1)));
}

/** When a mail that arrives now is given up, and when it is first looked at though nothing is due. */
export function limitsOf(
  { lifetimeHours, delayNoticeHours }: Times,
  nowMs: number,
): { expiresAt: number; lateAt: number } {
  const expiresAt = nowMs + lifetimeHours * HOUR_MS;
  const delayAt = nowMs + delayNoticeHours * HOUR_MS;
  return { expiresAt, lateAt: delayNoticeHours > 0 ? Math.min(delayAt, expiresAt) : expiresAt };
}
