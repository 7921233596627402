import { type Dependency, Unavailable } from "./trouble.ts";

/**
 * Bounds a wait. Every promise that depends on something outside the process goes through here.
 *
 * @param work what is waited for
 * @param timeoutMs at most this long, > 0
 * @param dependency who is to blame when it passes
 * @param what what was asked, for the message
 * @throws Unavailable when the time is over; the work itself is not cancelled
 */
export async function withDeadline<T>(
  work: Promise<T>,
  timeoutMs: number,
  dependency: Dependency,
  what: string,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Unavailable(dependency, `${what}: no answer in ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
