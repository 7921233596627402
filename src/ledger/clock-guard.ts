/**
 * Whether the clock may be believed when days are to be deleted by it. Deleting cannot be undone, so a clock that went forward by more
 * than it should have deletes nothing until somebody says that it is right.
 */
import type { Key, Tables, Value } from "../kit/store.ts";

/** A moment on all clocks there are. */
export interface Moment {
  /** What the clock says. */
  readonly nowMs: number;
  /** Since the machine was started; nobody sets it. */
  readonly uptimeMs: number;
  /** Tells one start of the machine from another. */
  readonly bootId: string;
}

export interface ClockJudgement {
  readonly believed: boolean;
  /** By how much it went forward too far, ms. */
  readonly jumpMs: number;
}

const DAY_MS = 86_400_000;
/** While the machine runs its two clocks may drift apart so much. */
const DRIFT_MS = 3_600_000;

/**
 * @param last the moment that was believed last; undefined: none
 * @param awayDaysMax days the machine may have been off
 */
export function judgeClock(last: Moment | undefined, now: Moment, awayDaysMax: number): ClockJudgement {
  if (!last) return { believed: true, jumpMs: 0 };
  const running = last.bootId === now.bootId && now.uptimeMs >= last.uptimeMs;
  const jumpMs = now.nowMs - last.nowMs - (running ? now.uptimeMs - last.uptimeMs : 0);
  return { believed: jumpMs <= (running ? DRIFT_MS : awayDaysMax * DAY_MS), jumpMs };
}

export interface ClockGuard {
  /**
   * Judges the clock.
   * @param writtenMs when the ledger was last written for certain, for a store that remembers no moment
   * @throws Unavailable
   */
  judge(now: Moment, writtenMs?: number): Promise<ClockJudgement>;
  /** The same, and remembers this moment when it is believed. */
  check(now: Moment, writtenMs?: number): Promise<ClockJudgement>;
  /** Somebody says that the clock is right. */
  confirm(now: Moment): Promise<void>;
  /** Nobody has been told of this doubt yet. */
  isNews(dates: readonly string[]): Promise<boolean>;
  told(dates: readonly string[]): Promise<void>;
}

const TABLE = "ledger-clock";
const UNKNOWN_BOOT = "unknown";

export function createClockGuard(tables: Tables, node: string, awayDaysMax: () => number): ClockGuard {
  const key: Key = { partition: node, id: "believed" };
  const toldKey: Key = { partition: node, id: "told" };
  const read = async <T>(at: Key): Promise<T | undefined> =>
    (await tables.get(TABLE, at))?.value as unknown as T | undefined;
  const confirm = async (now: Moment): Promise<void> => {
    await tables.put(TABLE, key, { ...now } as unknown as Value);
    await tables.remove(TABLE, toldKey);
  };
  const lastOf = async (writtenMs: number | undefined): Promise<Moment | undefined> =>
    (await read<Moment>(key)) ??
    (writtenMs === undefined ? undefined : { nowMs: writtenMs, uptimeMs: 0, bootId: UNKNOWN_BOOT });
  return {
    confirm,
    judge: async (now, writtenMs) => judgeClock(await lastOf(writtenMs), now, awayDaysMax()),
    async check(now, writtenMs) {
      const last = await lastOf(writtenMs);
      const judgement = judgeClock(last, now, awayDaysMax());
      // A clock that is behind deletes nothing; what it should be is not forgotten over it.
      const behind = last !== undefined && now.nowMs < last.nowMs;
      if (judgement.believed && !behind) await tables.put(TABLE, key, { ...now } as unknown as Value);
      return judgement;
    },
    isNews: async (dates) => (await read<string>(toldKey)) !== dates.at(-1),
    told: async (dates) => {
      await tables.put(TABLE, toldKey, dates.at(-1) ?? "");
    },
  };
}
