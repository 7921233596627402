/** How long to wait before somebody who ended is started again: never given up, but ever more slowly. */
export interface Backoff {
  /** @param livedMs how long it had run @returns ms to wait now */
  next(livedMs: number): number;
}

const FIRST_MS = 100;
const LONGEST_MS = 30_000;
/** Who has lived so long did not die of how it was started. */
const SOUND_MS = 60_000;

export function createBackoff(): Backoff {
  let inARow = 0;
  return {
    next(livedMs) {
      inARow = livedMs >= SOUND_MS ? 0 : inARow;
      const wait = Math.min(LONGEST_MS, FIRST_MS * 2 ** inARow);
      inARow += 1;
      return wait;
    },
  };
}
