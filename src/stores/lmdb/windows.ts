import type { Clock } from "../../kit/clock.ts";
import type { Key, Windows } from "../../kit/store.ts";
import { giveBackTo, takeFrom, type WindowState } from "../window-state.ts";
import type { Environment } from "./environment.ts";
import { keyOf } from "./keys.ts";
import type { Rows } from "./open.ts";
import { createSweep } from "./sweep.ts";

export type Signals = "windows" | "firsts" | "sets" | "members" | "order";

/** Rows here are lists whose first number is when they expire; parseInt stops where it ends. */
export const isOver = (row: string, nowMs: number): boolean => Number.parseInt(row.slice(1), 10) <= nowMs;

/** A row is `[expires, at, n, at, n, …]`. */
export function loadWindow(rows: Rows, key: Buffer): { expiresAtMs: number; state: WindowState } {
  const row = rows.get(key);
  const [expiresAtMs = 0, ...state] = row === undefined ? [] : (JSON.parse(row) as number[]);
  return { expiresAtMs, state };
}

export function saveWindow(
  rows: Rows,
  key: Buffer,
  { expiresAtMs, state }: { expiresAtMs: number; state: WindowState },
): void {
  if (state.length === 0) void rows.remove(key);
  else void rows.put(key, JSON.stringify([expiresAtMs, ...state]));
}

/** Where a window lies. */
export const windowAt = ({ partition, id }: Key): Buffer => keyOf(partition, id);

/** Drops windows that are over, a few at a time. */
export const sweepWindows = (clock: Clock) =>
  createSweep<Signals>("windows", ({ windows }, key, value) => {
    const over = isOver(value, clock.now());
    if (over) void windows.remove(key);
    return over;
  });

/** Windows in LMDB: each step is one transaction, atomic over all processes of the machine. */
export function createLmdbWindows(environment: Environment<Signals>, clock: Clock): Windows {
  const sweep = sweepWindows(clock);
  return {
    async take(key, quota) {
      return environment.write((dbs) => {
        const { windows } = dbs;
        const nowMs = clock.now();
        const { state, grant } = takeFrom(loadWindow(windows, windowAt(key)).state, quota, nowMs);
        saveWindow(windows, windowAt(key), { expiresAtMs: (state.at(-2) ?? nowMs) + quota.windowMs, state });
        sweep(dbs);
        return grant;
      });
    },
    async giveBack(key, n = 1) {
      await environment.write(({ windows }) => {
        const { expiresAtMs, state } = loadWindow(windows, windowAt(key));
        saveWindow(windows, windowAt(key), { expiresAtMs, state: giveBackTo(state, n) });
      });
    },
  };
}
