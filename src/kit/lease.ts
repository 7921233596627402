/**
 * One of many: a row of the store that one process holds for a time and has to renew. Whoever dies loses it when its time is over;
 * whoever stops gives it back at once.
 */
import type { Clock } from "./clock.ts";
import type { Key, Tables } from "./store.ts";

export interface Lease {
  /** Takes it, or renews it. @returns whether it is ours for the next `ttlMs` @throws Unavailable */
  hold(): Promise<boolean>;
  /** Gives it back, when it is ours. @throws Unavailable */
  release(): Promise<void>;
}

export interface LeaseOptions {
  /** What is held. */
  readonly key: Key;
  /** Who asks: unlike any other process's, this run's too. */
  readonly owner: string;
  /** How long it is held without being renewed, ms. */
  readonly ttlMs: number;
}

interface Held {
  readonly owner: string;
  readonly untilMs: number;
}

const TABLE = "leases";

export function createLease(tables: Tables, clock: Clock, { key, owner, ttlMs }: LeaseOptions): Lease {
  const isFree = ({ owner: other, untilMs }: Held, nowMs: number): boolean =>
    // An end that lies further away than anybody could have set it was set by a clock that has since gone back.
    other === owner || untilMs <= nowMs || untilMs > nowMs + 2 * ttlMs;
  return {
    async hold() {
      const row = await tables.get(TABLE, key);
      const nowMs = clock.now();
      if (row && !isFree(row.value as unknown as Held, nowMs)) return false;
      const version = await tables.put(TABLE, key, { owner, untilMs: nowMs + ttlMs }, row?.version ?? 0);
      return version !== undefined;
    },
    async release() {
      const row = await tables.get(TABLE, key);
      if (row && (row.value as unknown as Held).owner === owner)
        await tables.put(TABLE, key, { owner, untilMs: 0 }, row.version);
    },
  };
}
