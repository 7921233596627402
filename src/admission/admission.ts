/**
 * Who is let in while something is short: asked before a mail or a connection is taken on, so that what was begun can be ended. Strangers
 * are put off first, then clients; mail to postmaster only when connections are turned away altogether.
 */
import type { Gauge, Shortage } from "./gauges.ts";
import { createStep, type Level } from "./pressure.ts";

/** Who asks to be let in. */
export type Asking = "stranger" | "client" | "postmaster" | "connection";

/** From which level on each is put off. */
const PUT_OFF_FROM: Readonly<Record<Asking, Level>> = { stranger: 1, client: 2, postmaster: 3, connection: 3 };

export interface Admission {
  readonly level: Level;
  /** What is short most. */
  readonly shortage: Shortage | undefined;
  /** Why somebody is put off; undefined: he may come in. Counts those who are. */
  refuses(asking: Asking): Shortage | undefined;
  /** How many were put off since the start, by who asked and what was short. */
  putOff(): readonly { readonly labels: readonly [Asking, Shortage]; readonly value: number }[];
  /** Another thing that can be short, such as the length of a queue. */
  watch(gauge: Gauge): void;
  stop(): void;
}

/** A change, for the log. */
export interface LoadNews {
  readonly level: Level;
  readonly shortage: Shortage | undefined;
  /** How long anybody has been put off by now, ms, and how many were. */
  readonly sinceMs: number;
  readonly putOff: number;
}

const LOOK_MS = 250;

interface Watched {
  readonly gauge: Gauge;
  readonly step: (pressure: number, nowMs: number) => Level;
}

/** @param onNews is told when a level begins and when it ends, never for each connection */
export function createAdmission(gauges: readonly Gauge[], onNews: (news: LoadNews) => void): Admission {
  const watched: Watched[] = [];
  let level: Level = 0;
  let shortage: Shortage | undefined;
  let began = 0;
  let putOff = 0;
  const counts = new Map<string, { readonly labels: readonly [Asking, Shortage]; value: number }>();
  const watch = (gauge: Gauge): void => void watched.push({ gauge, step: createStep() });
  for (const gauge of gauges) watch(gauge);

  const look = (): void => {
    const now = performance.now();
    let worst: { level: Level; name: Shortage | undefined } = { level: 0, name: undefined };
    for (const { gauge, step } of watched) {
      const its = step(gauge.pressure(), now);
      if (its > worst.level) worst = { level: its, name: gauge.name };
    }
    if (worst.level === level) return;
    if (level === 0) began = now;
    const news = { level: worst.level, shortage: worst.name ?? shortage, sinceMs: Math.round(now - began), putOff };
    level = worst.level;
    shortage = worst.name;
    if (level === 0) putOff = 0;
    onNews(news);
  };
  const timer = setInterval(look, LOOK_MS).unref();
  return {
    get level() {
      return level;
    },
    get shortage() {
      return shortage;
    },
    refuses(asking) {
      if (level < PUT_OFF_FROM[asking] || level === 0) return undefined;
      if (shortage === undefined) return undefined;
      putOff += 1;
      const key = `${asking} ${shortage}`;
      const known = counts.get(key);
      if (known) known.value += 1;
      else counts.set(key, { labels: [asking, shortage], value: 1 });
      return shortage;
    },
    putOff: () => [...counts.values()],
    watch,
    stop() {
      clearInterval(timer);
      for (const { gauge } of watched) gauge.stop?.();
    },
  };
}
