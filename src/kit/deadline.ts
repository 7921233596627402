import { type Dependency, Unavailable } from "./trouble.ts";
import { atEndOfTurn } from "./turn.ts";

/**
 * Bounds a wait. Every promise that depends on something outside the process goes through here.
 *
 * @param work what is waited for
 * @param timeoutMs at most this long, > 0
 * @param dependency who is to blame when it passes
 * @param what what was asked, for the message
 * @throws Unavailable when the time is over; the work itself is not cancelled
 */
export function withDeadline<T>(work: Promise<T>, timeoutMs: number, dependency: Dependency, what: string): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let isOver = false;
    let timer: NodeJS.Timeout | undefined;
    const end = (): void => {
      isOver = true;
      clearTimeout(timer);
    };
    work.then(
      (value) => {
        end();
        resolve(value);
      },
      (error: unknown) => {
        end();
        reject(error);
      },
    );
    // Most answers are known already and come within this turn of the event loop: those need no timer.
    atEndOfTurn(() => {
      if (isOver) return;
      const late = (): void => reject(new Unavailable(dependency, `${what}: no answer in ${timeoutMs} ms`));
      timer = setTimeout(late, timeoutMs);
    });
  });
}
