/**
 * How many mails a client may send: a minute, an hour, a day. What a mail takes is taken when it begins, before anything else
 * is spent on it, and given back when it is not accepted.
 */
import type { Grant, Key, Windows } from "../kit/store.ts";
import type { Client } from "../mail/client.ts";
import { clientSubject } from "./subject.ts";

const SPANS = [
  { name: "minute", field: "ratePerMinute", windowMs: 60_000 },
  { name: "hour", field: "ratePerHour", windowMs: 3_600_000 },
  { name: "day", field: "ratePerDay", windowMs: 86_400_000 },
] as const;
export type Span = (typeof SPANS)[number];

/** How much of one limit is used. */
export interface Usage {
  readonly span: Span["name"];
  readonly max: number;
  readonly taken: number;
  /** When the first of it is free again, ms since the epoch. */
  readonly freesAtMs: number;
}

export interface Quotas {
  /**
   * Takes one mail from every limit of the client, or from none.
   * @returns the limit that is used up, or undefined. @throws Unavailable
   */
  take(client: Client, mailId: string): Promise<Usage | undefined>;
  /** The mail ended: what it took is kept when it was accepted, else given back. Never throws. */
  settle(mailId: string, accepted: boolean): void;
  /** Takes nothing. @throws Unavailable */
  usage(client: Client): Promise<Usage[]>;
}

interface Taken {
  readonly keys: readonly Key[];
}

/** Most mails on their way at once; beyond, what the oldest took is not given back. */
const OPEN_MAX = 100_000;

/** @param onTrouble what could not be given back; it falls out of its window by itself */
export function createQuotas(windows: Windows, onTrouble: (error: unknown) => void): Quotas {
  const open = new Map<string, Taken>();
  const giveBack = (keys: readonly Key[]): void => {
    for (const key of keys) windows.giveBack(key).catch(onTrouble);
  };
  return {
    async take(client, mailId) {
      const limits = limitsOf(client);
      const grants = await Promise.all(limits.map(({ key, max, windowMs }) => windows.take(key, { max, windowMs })));
      const taken = limits.flatMap(({ key }, index) => (grants[index]?.granted ? [key] : []));
      const full = grants.findLastIndex(({ granted }) => !granted);
      const [limit, grant] = [limits[full], grants[full]];
      if (limit && grant) {
        giveBack(taken);
        return usageOf(limit, grant);
      }
      open.set(mailId, { keys: taken });
      const [oldest] = open.size > OPEN_MAX ? open.keys() : [];
      if (oldest !== undefined) open.delete(oldest);
      return undefined;
    },
    settle(mailId, accepted) {
      const taken = open.get(mailId);
      open.delete(mailId);
      if (taken && !accepted) giveBack(taken.keys);
    },
    async usage(client) {
      const limits = limitsOf(client);
      const grants = await Promise.all(
        limits.map(({ key, max, windowMs }) => windows.take(key, { max, windowMs, n: 0 })),
      );
      return limits.flatMap((limit, index) => {
        const grant = grants[index];
        return grant ? [usageOf(limit, grant)] : [];
      });
    },
  };
}

interface Limit {
  readonly span: Span["name"];
  readonly key: Key;
  readonly max: number;
  readonly windowMs: number;
}

/** Is there any limit to hold this client to? */
export const isLimited = (client: Client): boolean => SPANS.some(({ field }) => client[field] !== undefined);

const limitsOf = (client: Client): Limit[] =>
  SPANS.flatMap(({ name, field, windowMs }) => {
    const max = client[field];
    const key = { partition: clientSubject(client.id), id: `mails a ${name}` };
    return max === undefined ? [] : [{ span: name, key, max, windowMs }];
  });

const usageOf = ({ span, max }: Limit, { taken, freesAtMs }: Grant): Usage => ({ span, max, taken, freesAtMs });
