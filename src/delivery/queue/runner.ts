/**
 * Takes what is due and has it tried, and what has just come (fresh.ts). Nothing of the queue is in memory but the mails that are being tried,
 * at most `deliveriesMax`, and some that are about to be. Woken when a mail has come; otherwise it looks every so often, which is also how it
 * notices what other processes and operators did.
 */
import { createFresh } from "./fresh.ts";
import { createHands, type HandWork } from "./hands.ts";
import { type LateParts, lookAgain } from "./late.ts";
import type { Lease } from "./spool.ts";
import { deliver } from "./work.ts";

export interface RunnerParts extends LateParts {
  /** Mails that may be tried at a time, ≥ 1. */
  readonly deliveriesMax: number;
  /** A mail that was brought is settled, or waits or is leased like the others. */
  readonly onOver?: (id: string) => void;
}

export interface Runner {
  /** Something has come. */
  wake(): void;
  /** Mails have come that may be tried at once. @returns false: too many wait already, and these are to be confirmed */
  bring(ids: readonly string[]): boolean;
  /** Takes nothing more; what is being tried may end within `graceMs`. @returns leases of what did not */
  stop(graceMs: number): Promise<readonly Lease[]>;
}

const LOOK_MS = 250;

/** Whoever tries: hands, what has just come for them, and how many each destination bears. */
function createStaff(parts: RunnerParts, { onFree, wake }: { onFree: () => void; wake: () => void }) {
  const { spool, log, carrier, deliveriesMax } = parts;
  const hands = createHands({
    max: deliveriesMax,
    log,
    onFree() {
      fresh.begin();
      onFree();
    },
    onEnd: (lease) => fresh.ended(lease),
  });
  const width = (destination: string): number =>
    Math.min(carrier.widthOf?.(destination) ?? deliveriesMax, deliveriesMax);
  const room = (destination: string): number => width(destination) - hands.of(destination);
  const work: HandWork = (lease, onTried) =>
    deliver(parts, lease, (isAway) => {
      if (isAway) fresh.wasAway(lease.turn);
      onTried();
    });
  const fresh = createFresh({
    ...{ spool, log, hands, handsMax: deliveriesMax, width, room, work },
    onConfirmed: wake,
    onOver: parts.onOver ?? (() => undefined),
  });
  /** Asked of destinations that have mail in the index. */
  const roomBesideFresh = (destination: string): number => {
    fresh.othersWait(destination);
    return room(destination);
  };
  return { hands, fresh, work, room: roomBesideFresh };
}

export function startRunner(parts: RunnerParts): Runner {
  const { spool, log } = parts;
  let isStopped = false;
  let looking: Promise<void> | undefined;
  let isWoken = false;
  /** Something may be due for which there was no hand. */
  let isBehind = true;
  const { hands, fresh, work, room } = createStaff(parts, { onFree: () => isBehind && wake(), wake: () => wake() });

  /** @returns whether there may be more */
  const takeSome = async (): Promise<boolean> => {
    const nowMs = parts.now();
    isBehind = hands.free() <= 0;
    if (isBehind) return false;
    const { due, late } = await spool.nextAt();
    isBehind = [due, late].some((at) => at !== undefined && at <= nowMs);
    let taken = 0;
    // What is over is not tried once more.
    if (late !== undefined && late <= nowMs) {
      const leases = await spool.takeLate({ nowMs, max: hands.free() });
      for (const lease of leases) hands.begin(lease, (each) => lookAgain(parts, each));
      taken += leases.length;
    }
    if (due !== undefined && due <= nowMs && hands.free() > 0) {
      const leases = await spool.take({ nowMs, max: hands.free(), room });
      for (const lease of leases) hands.begin(lease, work);
      taken += leases.length;
    }
    return taken > 0;
  };
  const look = async (): Promise<void> => {
    while (!isStopped) {
      isWoken = false;
      if (!(await takeSome()) && !isWoken) return;
    }
  };
  const wake = (): void => {
    if (isStopped) return;
    isWoken = true;
    looking ??= look()
      .catch((error: unknown) => log.warn({ err: error }, "the queue cannot be read"))
      .finally(() => {
        looking = undefined;
        if (isWoken) wake();
      });
  };
  const timer = setInterval(() => {
    wake();
    fresh.look();
    hands.nameStuck();
  }, LOOK_MS);
  wake();
  return {
    wake,
    bring: fresh.bring,
    async stop(graceMs) {
      isStopped = true;
      clearInterval(timer);
      await fresh.stop();
      await looking;
      return hands.idle(graceMs);
    },
  };
}
