/**
 * Takes what is due and has it tried. Nothing of the queue is in memory but the mails that are being tried, at most
 * `deliveriesMax`. Woken when a mail has come; otherwise it looks every so often, which is also how it notices what other
 * processes and operators did.
 */
import { createHands } from "./hands.ts";
import { type LateParts, lookAgain } from "./late.ts";
import type { Lease } from "./spool.ts";
import { deliver } from "./work.ts";

export interface RunnerParts extends LateParts {
  /** Mails that may be tried at a time, ≥ 1. */
  readonly deliveriesMax: number;
}

export interface Runner {
  /** Something has come. */
  wake(): void;
  /** Takes nothing more; what is being tried may end within `graceMs`. @returns leases of what did not */
  stop(graceMs: number): Promise<readonly Lease[]>;
}

const LOOK_MS = 250;

export function startRunner(parts: RunnerParts): Runner {
  const { spool, log, carrier, deliveriesMax } = parts;
  let isStopped = false;
  let looking: Promise<void> | undefined;
  let isWoken = false;
  const hands = createHands(deliveriesMax, log, () => wake());
  const room = (destination: string): number =>
    Math.min(carrier.widthOf?.(destination) ?? deliveriesMax, deliveriesMax) - hands.of(destination);

  /** @returns whether there may be more */
  const takeSome = async (): Promise<boolean> => {
    const nowMs = parts.now();
    const { due, late } = hands.free() > 0 ? await spool.nextAt() : {};
    let taken = 0;
    // What is over is not tried once more.
    if (late !== undefined && late <= nowMs) {
      const leases = await spool.takeLate({ nowMs, max: hands.free() });
      for (const lease of leases) hands.begin(lease, (each) => lookAgain(parts, each));
      taken += leases.length;
    }
    if (due !== undefined && due <= nowMs && hands.free() > 0) {
      const leases = await spool.take({ nowMs, max: hands.free(), room });
      for (const lease of leases) hands.begin(lease, (each) => deliver(parts, each));
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
    hands.nameStuck();
  }, LOOK_MS);
  wake();
  return {
    wake,
    async stop(graceMs) {
      isStopped = true;
      clearInterval(timer);
      await looking;
      return hands.idle(graceMs);
    },
  };
}
