/** What a process says of itself. */
import type { Admission } from "../admission/admission.ts";
import type { LagGauge } from "../admission/gauges.ts";
import type { Clock } from "../kit/clock.ts";
import type { GaugeName, Meter } from "../kit/metrics.ts";
import type { Journal } from "../ledger/journal.ts";

interface Waiting {
  readonly mails: number;
  readonly leased: number;
  readonly dueAt?: number;
}

export interface Self {
  /** From 1; 0 where there is only this one. */
  readonly worker: number;
  readonly lag: LagGauge;
  readonly admission: Admission;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly keepsHouse: () => boolean;
  /** What waits in the queue; undefined: there is none. */
  readonly queue: () => Promise<Waiting | undefined>;
  /** Open connections of each door. */
  readonly connections: () => readonly (readonly [door: string, count: number])[];
}

const HOUR_MS = 3_600_000;

export function readSelf(meter: Meter, self: Self): void {
  const { worker: number, lag, admission, journal, clock } = self;
  const worker = String(number);
  const startedAt = clock.now() / 1_000;
  const one = (value: number) => [{ labels: [worker], value }];
  // Several have a supervisor, who knows how many they are.
  if (number === 0) {
    meter.read("consentry_workers", () => [{ labels: [], value: 1 }]);
    meter.read("consentry_workers_silent", () => [{ labels: [], value: 0 }]);
    meter.read("consentry_worker_ends_total", () => [{ labels: [], value: 0 }]);
  }
  meter.read("consentry_event_loop_lag_seconds", () => one(lag.lagMs() / 1_000));
  meter.read("consentry_overload_level", () => one(admission.level));
  meter.read("consentry_put_off_total", () => admission.putOff());
  meter.read("consentry_keeper", () => one(self.keepsHouse() ? 1 : 0));
  meter.read("consentry_started_seconds", () => one(startedAt));
  meter.read("consentry_cpu_seconds_total", () => {
    const { user, system } = process.cpuUsage();
    return one((user + system) / 1e6);
  });
  meter.read("consentry_memory_bytes", () => {
    const { rss, heapUsed } = process.memoryUsage();
    return [
      { labels: [worker, "resident"], value: rss },
      { labels: [worker, "heap"], value: heapUsed },
    ];
  });
  meter.read("consentry_connections", () => self.connections().map(([door, value]) => ({ labels: [door], value })));
  // What all of them share only one tells, or it would be added up.
  const shared = (name: GaugeName, ask: () => Promise<number | undefined>): void =>
    meter.read(name, async () => {
      const value = self.keepsHouse() ? await ask() : undefined;
      return value === undefined ? [] : [{ labels: [], value }];
    });
  shared("consentry_ledger_lag_seconds", () => lagOf(journal, clock.now()));
  shared("consentry_queue_mails", async () => (await self.queue())?.mails);
  shared("consentry_queue_leased", async () => (await self.queue())?.leased);
  shared("consentry_queue_late_seconds", async () => {
    const waiting = await self.queue();
    return waiting && Math.max(0, (clock.now() - (waiting.dueAt ?? Number.POSITIVE_INFINITY)) / 1_000);
  });
}

/** How long ago the oldest hour ended that is still in the journal; 0 while there is only the present one. */
async function lagOf(journal: Journal, nowMs: number): Promise<number> {
  const [oldest] = (await journal.sources()).map(({ hour }) => Date.parse(`${hour}:00:00Z`)).sort((a, b) => a - b);
  return oldest === undefined ? 0 : Math.max(0, (nowMs - oldest - HOUR_MS) / 1_000);
}
