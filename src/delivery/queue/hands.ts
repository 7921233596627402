import type { Log } from "../../kit/log.ts";
import type { Lease } from "./spool.ts";

/** Has a mail worked on; it tells when the attempt is over and only the settlement is left. */
export type HandWork = (lease: Lease, onTried: () => void) => Promise<unknown>;

/** The mails that are being tried now, and how many of each destination. */
export interface Hands {
  /** How many more there may be. */
  free(): number;
  /** How many of one destination are being tried. */
  of(destination: string): number;
  /** Never throws; `onFree` is told when there may be another, `onEnd` when it is over. */
  begin(lease: Lease, work: HandWork): void;
  /** Those whose attempt has lasted longer. */
  olderThan(ms: number): Lease[];
  /** Waits until none is left, at most so long, and a second for those that are only to be settled. @returns those that are left */
  idle(patienceMs: number): Promise<Lease[]>;
  /** Names in the log, once each, attempts that take longer than anything should. */
  nameStuck(): void;
}

const STUCK_MS = 300_000;
/** Mails whose settlement is on its way to disk, for each that may be tried. */
const SETTLING_PER_HAND = 4;
const SETTLE_MS = 1_000;

interface Hand {
  readonly lease: Lease;
  readonly sinceMs: number;
  isNamed: boolean;
  isTried: boolean;
}

export interface HandsOptions {
  /** Mails that may be tried at a time. */
  readonly max: number;
  readonly log: Log;
  onFree(): void;
  onEnd(lease: Lease): void;
}

export function createHands({ max, log, onFree, onEnd }: HandsOptions): Hands {
  const hands = new Set<Hand>();
  const counts = new Map<string, number>();
  let trying = 0;
  let onEnded = (): void => {};
  const count = (destination: string, by: number): void => {
    const now = (counts.get(destination) ?? 0) + by;
    if (now === 0) counts.delete(destination);
    else counts.set(destination, now);
  };
  const tried = (hand: Hand): void => {
    if (hand.isTried) return;
    hand.isTried = true;
    trying -= 1;
    count(hand.lease.turn, -1);
    onFree();
  };
  const until = async (isOver: () => boolean, timeoutMs: number): Promise<void> => {
    if (isOver()) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      onEnded = () => {
        if (!isOver()) return;
        clearTimeout(timer);
        resolve();
      };
    });
  };
  return {
    free: () => Math.min(max - trying, max * (1 + SETTLING_PER_HAND) - hands.size),
    of: (destination) => counts.get(destination) ?? 0,
    begin(lease, work) {
      const hand: Hand = { lease, sinceMs: performance.now(), isNamed: false, isTried: false };
      hands.add(hand);
      trying += 1;
      count(lease.turn, 1);
      work(lease, () => tried(hand))
        .catch((error: unknown) => log.error({ err: error, mailId: lease.mail.id }, "a bug: the mail stays leased"))
        .finally(() => {
          hands.delete(hand);
          onEnd(lease);
          // One that is settled makes room, too, where many are on their way to disk.
          if (hand.isTried) onFree();
          else tried(hand);
          onEnded();
        });
    },
    olderThan(ms) {
      const bornMs = performance.now() - ms;
      return [...hands].filter(({ sinceMs, isTried }) => !isTried && sinceMs < bornMs).map(({ lease }) => lease);
    },
    async idle(patienceMs) {
      await until(() => hands.size === 0, patienceMs);
      // What has been delivered, and is not written down, would be delivered twice.
      await until(() => ![...hands].some(({ isTried }) => isTried), SETTLE_MS);
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
