/**
 * What only one process of a machine does: archive, retention, the post of the desk, warnings. All of them ask for one lease; who holds
 * it begins the duties, who loses it ends them. This is the only place where that is decided.
 */
import type { Lease } from "./lease.ts";
import { startRounds } from "./rounds.ts";

export interface Duty {
  readonly name: string;
  /** Begins it. @returns what ends it */
  begin(): Promise<{ stop(): Promise<void> | void }>;
}

export interface DutiesOptions {
  readonly lease: Lease;
  /** How long the lease is ours without being renewed, ms; it is renewed three times as often. */
  readonly ttlMs: number;
  readonly duties: readonly Duty[];
  /** We hold the lease now, or no longer. */
  onChange(ours: boolean): void;
  /** A duty, or all (no name), could not be begun or ended; it is tried again. */
  onError(error: unknown, duty?: string): void;
}

export interface Duties {
  /** These are our duties now. */
  readonly ours: boolean;
  /** Ends them and gives the lease back. */
  stop(): Promise<void>;
}

/** How long a lease may take to be given back when we go: it ends by itself. */
const PATIENCE_MS = 2_000;

type Begun = Map<string, { stop(): Promise<void> | void }>;

export function startDuties({ lease, ttlMs, duties, onChange, onError }: DutiesOptions): Duties {
  const begun: Begun = new Map();
  let ours = false;
  let heldUntil = Number.NEGATIVE_INFINITY;

  /** A store that does not answer takes the lease from nobody, until its time is over by our own clock. */
  const mayGoOn = async (): Promise<boolean> => {
    const asked = performance.now();
    try {
      if (await lease.hold()) heldUntil = asked + ttlMs;
      else heldUntil = Number.NEGATIVE_INFINITY;
    } catch (error) {
      onError(error);
    }
    return performance.now() < heldUntil;
  };
  const look = async (): Promise<void> => {
    const may = await mayGoOn();
    if (may !== ours) onChange(may);
    ours = may;
    if (ours) await beginAll(duties, begun, onError);
    else await endAll(begun, onError);
  };
  const rounds = startRounds(look, { everyMs: ttlMs / 3, firstMs: 0, onError });
  return {
    get ours() {
      return ours;
    },
    async stop() {
      await rounds.stop();
      await endAll(begun, onError);
      if (ours) await Promise.race([lease.release().catch(onError), patience()]);
      ours = false;
    },
  };
}

const patience = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, PATIENCE_MS).unref());

async function beginAll(duties: readonly Duty[], begun: Begun, onError: DutiesOptions["onError"]): Promise<void> {
  for (const duty of duties) {
    if (begun.has(duty.name)) continue;
    try {
      begun.set(duty.name, await duty.begin());
    } catch (error) {
      onError(error, duty.name);
    }
  }
}

async function endAll(begun: Begun, onError: DutiesOptions["onError"]): Promise<void> {
  const ending = [...begun];
  begun.clear();
  await Promise.all(
    ending.map(async ([name, duty]) => {
      try {
        await duty.stop();
      } catch (error) {
        onError(error, name);
      }
    }),
  );
}
