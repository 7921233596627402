import type { Clock } from "../kit/clock.ts";
import type { Entry } from "./entry.ts";

/** A clock that differs by more from the one nobody sets was set. */
const JUMP_MS = 1_000;
/** For so long after that, entries say so. */
const SHOWN_MS = 60_000;

/**
 * Watches whether the clock goes at the speed of time. NTP turns it slowly, which is in step; somebody who sets it, or a machine that
 * wakes up, makes it jump.
 *
 * @returns what to write into an entry now: nothing while it is in step
 */
export function createClockWatch(clock: Clock): (nowMs: number) => Entry["clock"] {
  let last: { nowMs: number; steadyMs: number } | undefined;
  let state: Entry["clock"];
  let shownUntil = Number.NEGATIVE_INFINITY;
  return (nowMs) => {
    const steadyMs = clock.steadyMs?.();
    if (steadyMs === undefined) return undefined;
    const jumpMs = last ? nowMs - last.nowMs - (steadyMs - last.steadyMs) : 0;
    last = { nowMs, steadyMs };
    if (Math.abs(jumpMs) > JUMP_MS) {
      state = jumpMs > 0 ? "set-forward" : "set-back";
      shownUntil = steadyMs + SHOWN_MS;
    }
    return steadyMs < shownUntil ? state : undefined;
  };
}
