/**
 * How much of what is short is used up, as one number for each gauge, and what follows from it. Up at once, down slowly and by one step at a time:
 * a server that lets everybody in again the moment it can breathe is out of breath the moment after.
 */

/** 0: nothing is short. 1: strangers' mail is put off; 2: clients' too; 3: connections are turned away at the greeting. */
export type Level = 0 | 1 | 2 | 3;

/** From 1 on there is pressure; at 2 and 3 the next steps begin. */
export type Pressure = number;

const HIGHEST = 3;
/** A level is left when the pressure has been so far below it … */
const MARGIN = 0.3;
/** … for so long, ms. */
const CALM_MS = 2_000;

/** Above a limit: 1 at it, 2 at twice, 3 at four times. */
export const pressureAbove = (value: number, limit: number): Pressure =>
  value <= 0 ? 0 : Math.max(0, 1 + Math.log2(value / limit));

/** Below a reserve: 1 at it, 2 at half, 3 at a quarter of it. */
export const pressureBelow = (left: number, reserve: number): Pressure =>
  reserve <= 0 ? 0 : left <= 0 ? HIGHEST : Math.max(0, 1 + Math.log2(reserve / left));

/** Of what grows towards its end: 1 at the limit, 2 at 110 %, 3 at 120 %. */
export const pressureNear = (value: number, limit: number): Pressure => Math.max(0, 1 + (value / limit - 1) / 0.1);

/** Follows one gauge. @returns a function from pressure and time (ms, never going back) to the level */
export function createStep(): (pressure: Pressure, nowMs: number) => Level {
  let level = 0;
  let calmSince: number | undefined;
  return (pressure, nowMs) => {
    const wanted = Math.min(HIGHEST, Math.floor(pressure));
    if (wanted > level) {
      level = wanted;
      calmSince = undefined;
    } else if (level > 0 && pressure < level - MARGIN) {
      calmSince ??= nowMs;
      if (nowMs - calmSince >= CALM_MS) {
        level -= 1;
        calmSince = nowMs;
      }
    } else calmSince = undefined;
    return level as Level;
  };
}
