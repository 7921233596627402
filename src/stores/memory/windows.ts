import type { Clock } from "../../kit/clock.ts";
import type { Windows } from "../../kit/store.ts";
import { giveBackTo, takeFrom, type WindowState } from "../window-state.ts";
import { createExpiringMap, flat } from "./expiring.ts";

interface Kept {
  readonly state: WindowState;
  readonly expiresAtMs: number;
}

export function createMemoryWindows(clock: Clock): Windows {
  const windows = createExpiringMap<Kept>();
  return {
    async take(key, quota) {
      const nowMs = clock.now();
      const { state, grant } = takeFrom(windows.get(flat(key), nowMs)?.state ?? [], quota, nowMs);
      const newestMs = state.at(-2);
      if (newestMs === undefined) return grant;
      const expiresAtMs = newestMs + quota.windowMs;
      windows.set(flat(key), { state, expiresAtMs }, expiresAtMs);
      return grant;
    },
    async giveBack(key, n = 1) {
      const kept = windows.get(flat(key), clock.now());
      const state = giveBackTo(kept?.state ?? [], n);
      if (!kept) return;
      if (state.length === 0) windows.delete(flat(key));
      else windows.set(flat(key), { ...kept, state }, kept.expiresAtMs);
    },
  };
}
