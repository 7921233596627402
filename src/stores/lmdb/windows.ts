import type { Clock } from "../../kit/clock.ts";
import type { Windows } from "../../kit/store.ts";
import { giveBackTo, takeFrom } from "../window-state.ts";
import type { Environment } from "./environment.ts";
import { createSweep, isOver } from "./sweep.ts";
import type { WindowBook } from "./window-book.ts";

export type Signals = "windows" | "changes" | "firsts" | "sets" | "members" | "order";

/** Drops windows that are over, a few at a time. */
export const sweepWindows = (clock: Clock) =>
  createSweep<Signals>("windows", ({ windows }, key, value) => {
    const over = isOver(value, clock.now());
    if (over) void windows.remove(key);
    return over;
  });

/** Windows in LMDB: each step is one transaction, atomic over all processes of the machine. */
export function createLmdbWindows(environment: Environment<Signals>, book: WindowBook, clock: Clock): Windows {
  const sweep = sweepWindows(clock);
  return {
    async take(key, quota) {
      return environment.write((dbs) => {
        const nowMs = clock.now();
        const turn = book.turn(dbs);
        const { state, grant } = takeFrom(turn.load(key).state, quota, nowMs);
        if (grant.granted && quota.n !== 0) {
          turn.save(key, { expiresAtMs: (state.at(-2) ?? nowMs) + quota.windowMs, state });
          turn.end(nowMs);
        }
        sweep(dbs);
        return grant;
      });
    },
    async giveBack(key, n = 1) {
      await environment.write((dbs) => {
        const turn = book.turn(dbs);
        const { expiresAtMs, state } = turn.load(key);
        turn.save(key, { expiresAtMs, state: giveBackTo(state, n) });
        turn.end(clock.now());
      });
    },
  };
}
