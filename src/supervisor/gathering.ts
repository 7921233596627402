/** The figures of all workers, for whichever of them is asked by Prometheus. */
import { setTimeout as later } from "node:timers/promises";
import type { ReadableMeter, Snapshot } from "../metrics/meter.ts";
import type { Member } from "./member.ts";
import type { Order, Report } from "./messages.ts";

/** A worker that does not tell its figures in time is left out, and that is told. */
const TELL_MS = 2_000;
/** Longer: the supervisor waits for the slowest. */
const GATHER_MS = 2 * TELL_MS;

/** A worker's side. */
export interface Gathering {
  gather(): Promise<readonly Snapshot[]>;
  /** The supervisor wants ours. */
  tell(id: number): void;
  hear(order: Extract<Order, { order: "gathered" }>): void;
}

export function createGathering(channel: { send(report: Report): void }, meter: ReadableMeter): Gathering {
  const waiting = new Map<number, (snapshots: readonly Snapshot[]) => void>();
  let asked = 0;
  return {
    async gather() {
      asked += 1;
      const id = asked;
      const gathered = new Promise<readonly Snapshot[]>((resolve) => waiting.set(id, resolve));
      channel.send({ report: "gather", id });
      const patience = later(GATHER_MS, undefined, { ref: false }).then(async () => [await meter.snapshot()]);
      return Promise.race([gathered, patience]).finally(() => waiting.delete(id));
    },
    tell(id) {
      void meter.snapshot().then((snapshot) => channel.send({ report: "done", id, snapshot }));
    },
    hear: ({ id, snapshots }) => waiting.get(id)?.(snapshots),
  };
}

interface Crew {
  readonly members: ReadonlyMap<number, Member>;
  /** Workers that ended so far. */
  readonly ends: () => number;
}

/** The supervisor's side: asks everybody and passes on what they tell, with what it knows itself. */
export async function gatherFor(asker: () => Member | undefined, id: number, { members, ends }: Crew): Promise<void> {
  const ready = [...members.values()].filter(({ isReady }) => isReady);
  const told = await Promise.all(ready.map((each) => each.ask({ order: "snapshot" }, TELL_MS).catch(() => undefined)));
  const snapshots = told.filter((snapshot) => snapshot !== undefined);
  const one = (value: number) => [{ labels: [], value }];
  const own: Snapshot = {
    values: {
      consentry_workers: one(ready.length),
      consentry_workers_silent: one(ready.length - snapshots.length),
      consentry_worker_ends_total: one(ends()),
    },
    histograms: {},
  };
  asker()?.tell({ order: "gathered", id, snapshots: [...snapshots, own] });
}
