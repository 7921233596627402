import { Unavailable } from "../kit/trouble.ts";

/** Lets so many in at a time; the others wait, but not more of them than may wait at all. */
export function createGate(max: number, waitingMax: number) {
  let inside = 0;
  const waiting: (() => void)[] = [];
  const leave = (): void => {
    const next = waiting.shift();
    if (next) next();
    else inside -= 1;
  };
  return async function pass<T>(work: () => Promise<T>): Promise<T> {
    if (inside < max) inside += 1;
    else if (waiting.length >= waitingMax) throw new Unavailable("scorer", "too many mails wait for it");
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      leave();
    }
  };
}
