/**
 * Mails that have just come are tried at once, without waiting in the index of the spool: most are delivered by that, and cost it two steps
 * instead of four. They overtake nobody for long: where mail waits in the index, a part of the hands and of a destination's width is left
 * to it, and one that finds no hand in a second joins it there.
 */
import type { Log } from "../../kit/log.ts";
import { confirmed } from "./confirm.ts";
import type { Hands, HandWork } from "./hands.ts";
import { createLine } from "./line.ts";
import type { Lease, Spool } from "./spool.ts";

export interface FreshParts {
  readonly spool: Pick<Spool, "fresh" | "keep" | "confirm">;
  readonly log: Log;
  readonly hands: Hands;
  readonly handsMax: number;
  /** How many mails a destination may have at a time, and how many more it may have now. */
  readonly width: (destination: string) => number;
  readonly room: (destination: string) => number;
  readonly work: HandWork;
  /** A mail waits in the index now. */
  readonly onConfirmed: () => void;
  /** It is not ours alone to look after any more: settled, kept, or confirmed. */
  readonly onOver: (id: string) => void;
}

export interface Fresh {
  /** They have arrived, entries and all. @returns false: too many wait already */
  bring(ids: readonly string[]): boolean;
  /** Begins what there are hands for. */
  begin(): void;
  /** Mail of this destination waits in the index. */
  othersWait(destination: string): void;
  /** The destination does not answer: what waits for it here joins the others. */
  wasAway(destination: string): void;
  /** A mail has been settled. */
  ended(lease: Lease): void;
  /** Looks after what lasts. */
  look(): void;
  /** Takes nothing more; what waits here joins the index. */
  stop(): Promise<void>;
}

/** Most mails that wait here. */
const LINE_MAX = 1_000;
/** What waits, or is tried, for longer is seen by operators and by other processes. */
const LASTS_MS = 1_000;
/** Of hands and of a destination's width, to those who wait in the index. */
const PART_OF_OTHERS = 4;

export function createFresh(parts: FreshParts): Fresh {
  const { spool, log, hands, handsMax, onOver } = parts;
  const line = createLine();
  const others = createOthers(parts.width);
  const kept = new WeakSet<Lease>();
  let isStopped = false;

  const confirm = (id: string): Promise<void> =>
    confirmed(parts, id).then(() => {
      onOver(id);
      parts.onConfirmed();
    });
  const join = (leases: readonly Lease[]): Promise<unknown> => Promise.all(leases.map(({ mail }) => confirm(mail.id)));
  const begin = (): void => {
    for (const destination of line.destinations()) {
      while (hands.free() > handsMax / PART_OF_OTHERS && parts.room(destination) > others.share(destination)) {
        const lease = line.next(destination);
        if (!lease) break;
        hands.begin(lease, parts.work);
      }
    }
  };
  const take = async (ids: readonly string[]): Promise<void> => {
    const leases = await spool.fresh(ids).catch((): Lease[] => []);
    const mayGo = new Set(leases.map(({ mail }) => mail.id));
    for (const id of ids) if (!mayGo.has(id)) void confirm(id);
    if (isStopped) return void join(leases);
    for (const lease of leases) line.add(lease);
    begin();
  };
  const keep = async (lease: Lease): Promise<void> => {
    kept.add(lease);
    try {
      await spool.keep(lease);
      onOver(lease.mail.id);
    } catch (error) {
      log.warn({ err: error, mailId: lease.mail.id }, "an attempt that lasts cannot be written down yet");
      kept.delete(lease);
    }
  };
  return {
    bring(ids) {
      if (isStopped || line.size >= LINE_MAX) return false;
      void take(ids);
      return true;
    },
    begin,
    othersWait: others.wait,
    wasAway: (destination) => void join(line.clear(destination)),
    ended(lease) {
      if (lease.isFresh) onOver(lease.mail.id);
    },
    look() {
      void join(line.olderThan(LASTS_MS));
      for (const lease of hands.olderThan(LASTS_MS)) if (lease.isFresh && !kept.has(lease)) void keep(lease);
    },
    async stop() {
      isStopped = true;
      await join(line.olderThan(Number.NEGATIVE_INFINITY));
    },
  };
}

/** Mail that waits in the index: how much of a destination's width is left to it. */
function createOthers(width: (destination: string) => number) {
  const waiting = new Map<string, number>();
  return {
    wait: (destination: string): void => void waiting.set(destination, performance.now()),
    share(destination: string): number {
      const sinceMs = waiting.get(destination);
      if (sinceMs === undefined) return 0;
      if (performance.now() - sinceMs < LASTS_MS) return Math.max(1, Math.floor(width(destination) / PART_OF_OTHERS));
      waiting.delete(destination);
      return 0;
    },
  };
}
