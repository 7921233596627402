/**
 * How many recipients report a client's advertising as spam, of so many who got some: two counts in sliding windows, over all nodes. What
 * is accepted counts as delivered, in batches that nobody waits for; what a crash leaves uncounted makes the share a little higher.
 */
import type { Key, Windows } from "../kit/store.ts";
import { clientSubject } from "./subject.ts";

export interface ComplaintLimits {
  readonly complaintsPercent: number;
  readonly complaintsMin: number;
  readonly windowDays: number;
}

export interface ComplaintShare {
  readonly delivered: number;
  readonly complaints: number;
  /** Reports for each hundred deliveries, to two places. */
  readonly percent: number;
}

export interface Complaints {
  /** So many recipients got an advertisement. Never throws. */
  delivered(client: string, recipients: number): void;
  /** So many reported one. @returns how the client stands now. @throws Unavailable */
  reported(client: string, reports: number): Promise<ComplaintShare>;
  /** Counts nothing. @throws Unavailable */
  share(client: string): Promise<ComplaintShare>;
}

const DAY_MS = 86_400_000;
const FLUSH_MS = 1_000;
const WITHOUT_BOUND = Number.MAX_SAFE_INTEGER;

export interface ComplaintParts {
  readonly limits: () => ComplaintLimits;
  readonly pause: (ms: number) => Promise<void>;
  /** What could not be counted. */
  readonly onTrouble: (error: unknown) => void;
}

export function createComplaints(
  windows: Pick<Windows, "take">,
  { limits, pause, onTrouble }: ComplaintParts,
): Complaints {
  const waiting = new Map<string, number>();
  const count = async (client: string, what: "delivered" | "complaints", n: number): Promise<number> => {
    const key: Key = { partition: clientSubject(client), id: `${what} advertisements` };
    return (await windows.take(key, { max: WITHOUT_BOUND, windowMs: limits().windowDays * DAY_MS, n })).taken;
  };
  const flush = (): void => {
    const batch = [...waiting];
    waiting.clear();
    for (const [client, n] of batch) count(client, "delivered", n).catch(onTrouble);
  };
  const shareWith = async (client: string, n: number): Promise<ComplaintShare> => {
    const [delivered, complaints] = await Promise.all([count(client, "delivered", 0), count(client, "complaints", n)]);
    const percent = delivered === 0 ? (complaints === 0 ? 0 : 100) : (100 * complaints) / delivered;
    return { delivered, complaints, percent: Math.min(100, Math.round(percent * 100) / 100) };
  };
  return {
    delivered(client, recipients) {
      const isFirst = waiting.size === 0;
      waiting.set(client, (waiting.get(client) ?? 0) + recipients);
      if (isFirst) void pause(FLUSH_MS).then(flush);
    },
    reported: shareWith,
    share: (client) => shareWith(client, 0),
  };
}

/** Enough to suspend a client? */
export const isTooMany = (
  { complaints, percent }: ComplaintShare,
  { complaintsMin, complaintsPercent }: ComplaintLimits,
): boolean => complaints >= complaintsMin && percent >= complaintsPercent;
