import type { Log } from "../../kit/log.ts";
import type { Lease } from "./spool.ts";

/** The mails that are being tried now, and how many of each destination. */
export interface Hands {
  /** How many more there may be. */
  free(): number;
  /** How many of one destination have begun. */
  of(destination: string): number;
  /** Has a mail worked on; never throws, and tells `onEnd` when it is over. */
  begin(lease: Lease, work: (lease: Lease) => Promise<unknown>): void;
  /** Waits until none is left, at most so long. @returns those that are */
  idle(patienceMs: number): Promise<Lease[]>;
  /** Names in the log, once each, attempts that take longer than anything should. */
  nameStuck(): void;
}

const STUCK_MS = 300_000;

interface Hand {
  readonly lease: Lease;
  readonly sinceMs: number;
  isNamed: boolean;
}

export function createHands(max: number, log: Log, onEnd: () => void): Hands {
  const hands = new Set<Hand>();
  const counts = new Map<string, number>();
  let onIdle = (): void => {};
  const count = (destination: string, by: number): void => {
    const now = (counts.get(destination) ?? 0) + by;
    if (now === 0) counts.delete(destination);
    else counts.set(destination, now);
  };
  return {
    free: () => max - hands.size,
    of: (destination) => counts.get(destination) ?? 0,
    begin(lease, work) {
      const hand: Hand = { lease, sinceMs: performance.now(), isNamed: false };
      hands.add(hand);
      count(lease.turn, 1);
      work(lease)
        .catch((error: unknown) => log.error({ err: error, mailId: lease.mail.id }, "a bug: the mail stays leased"))
        .finally(() => {
          hands.delete(hand);
          count(lease.turn, -1);
          if (hands.size === 0) onIdle();
          onEnd();
        });
    },
    async idle(patienceMs) {
      if (hands.size > 0) {
        await new Promise<void>((resolve) => {
          const patience = setTimeout(resolve, patienceMs);
          onIdle = () => {
            clearTimeout(patience);
            resolve();
          };
        });
      }
      return [...hands].map(({ lease }) => lease);
    },
    nameStuck() {
      for (const hand of hands) {
        if (hand.isNamed || performance.now() - hand.sinceMs < STUCK_MS) continue;
        hand.isNamed = true;
        log.warn({ mailId: hand.lease.mail.id, destination: hand.lease.turn }, "an attempt takes very long");
      }
    },
  };
}
