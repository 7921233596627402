import type { Clock } from "../kit/clock.ts";
import type { Tables, Value } from "../kit/store.ts";
import { Misuse } from "../kit/trouble.ts";

/** A legal hold: while it stands, no day it covers is deleted. */
export interface Hold {
  /** Number of the case or request. */
  readonly case: string;
  readonly reason: string;
  readonly by: string;
  readonly setAt: number;
  /** First and last day it covers, UTC, inclusive; absent: all. */
  readonly since?: string;
  readonly until?: string;
  readonly releasedBy?: string;
  readonly releasedAt?: number;
}

export interface HoldRegister {
  /** @throws Misuse when the case is held already */
  set(hold: Pick<Hold, "case" | "reason" | "by" | "since" | "until">): Promise<Hold>;
  /** @returns undefined when the case is not held */
  release(caseNumber: string, by: string): Promise<Hold | undefined>;
  /** Also those that are released. */
  list(): Promise<Hold[]>;
}

const TABLE = "ledger-holds";
const PARTITION = "all";

export function createHoldRegister(tables: Tables, clock: Clock): HoldRegister {
  const list = async (): Promise<Hold[]> => {
    const found: Hold[] = [];
    for await (const { value } of tables.list(TABLE, PARTITION)) found.push(value as unknown as Hold);
    return found.sort((a, b) => a.setAt - b.setAt);
  };
  const standing = async (caseNumber: string): Promise<Hold | undefined> =>
    (await list()).find((hold) => hold.case === caseNumber && stands(hold));
  const put = (hold: Hold): Promise<unknown> =>
    tables.put(TABLE, { partition: PARTITION, id: `${hold.case} ${hold.setAt}` }, hold as unknown as Value);
  return {
    list,
    async set(wanted) {
      if (await standing(wanted.case)) throw new Misuse(`case ${wanted.case} is held already`);
      const hold = { ...wanted, setAt: clock.now() };
      await put(hold);
      return hold;
    },
    async release(caseNumber, by) {
      const hold = await standing(caseNumber);
      if (!hold) return undefined;
      const released = { ...hold, releasedBy: by, releasedAt: clock.now() };
      await put(released);
      return released;
    },
  };
}

export const stands = ({ releasedAt }: Hold): boolean => releasedAt === undefined;

/** The hold that keeps a day from being deleted. @param date "2026-11-22" */
export const holdOn = (date: string, holds: readonly Hold[]): Hold | undefined =>
  holds.find((hold) => stands(hold) && (hold.since ?? "") <= date && date <= (hold.until ?? "9999"));
