/** Faults one after the other, now and then two at a time, at times and for times that the random gives. */
import type { Fault } from "./fault.ts";

const GAP_MS = [200, 1_500] as const;
const LASTS_MS = [300, 3_500] as const;
/** Another one begins while the first goes on. */
const TOGETHER = 0.25;

/** @returns what happened, in order; everything has been put right again */
export async function runFaults(
  faults: readonly Fault[],
  random: () => number,
  isOver: () => boolean,
): Promise<string[]> {
  const happened: string[] = [];
  const between = ([least, most]: readonly [number, number]): number => least + random() * (most - least);
  const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  /** Each fault once in every round, in an order of the random: none is left out by chance. */
  let round: Fault[] = [];
  const next = (): Fault => {
    if (round.length === 0)
      round = faults
        .map((fault) => ({ fault, at: random() }))
        .sort((a, b) => a.at - b.at)
        .map(({ fault }) => fault);
    return round.pop() as Fault;
  };
  while (!isOver()) {
    await pause(between(GAP_MS));
    const together = [next(), ...(random() < TOGETHER ? [next()] : [])];
    for (const fault of together) {
      happened.push(fault.name);
      await fault.begin();
    }
    const lastsMs = between(LASTS_MS);
    if (together.some(({ end }) => end)) await pause(lastsMs);
    for (const fault of together.toReversed()) await fault.end?.();
  }
  return happened;
}
