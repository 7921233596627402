import { setTimeout as delay } from "node:timers/promises";

const POLL_MS = 10;

/**
 * Asks again and again until the answer is truthy, and returns it. An error counts as no.
 * @throws Error naming `what` when the time is over
 */
export async function until<T>(what: string, ask: () => T | Promise<T>, timeoutMs = 10_000): Promise<NonNullable<T>> {
  const end = performance.now() + timeoutMs;
  let last: unknown;
  while (performance.now() < end) {
    try {
      const answer = await ask();
      if (answer) return answer;
    } catch (error) {
      last = error;
    }
    await delay(POLL_MS);
  }
  throw new Error(`not within ${timeoutMs} ms: ${what}`, { cause: last });
}
