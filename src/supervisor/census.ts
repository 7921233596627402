/**
 * Connections of each client address over all workers, so that `limits.connectionsPerIpMax` is one bound for the machine. Each worker
 * tells what has changed, many at a time; who has just been let in elsewhere is known here within TELL_MS.
 */
import type { Elsewhere } from "../doors/smtp/per-address.ts";
import type { Counts } from "./messages.ts";

const TELL_MS = 50;

/** The worker's side. */
export interface Neighbours extends Elsewhere {
  /** News from the supervisor. */
  learn(counts: Counts): void;
}

/** @param send carries what changed here to the supervisor */
export function createNeighbours(send: (counts: Counts) => void): Neighbours {
  const others = new Map<string, number>();
  const told = new Map<string, number>();
  const changed = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    timer = undefined;
    const news = [...changed].filter(([ip, count]) => (told.get(ip) ?? 0) !== count);
    changed.clear();
    for (const [ip, count] of news) put(told, ip, count);
    if (news.length > 0) send(news);
  };
  return {
    count: (ip) => others.get(ip) ?? 0,
    tell(ip, here) {
      changed.set(ip, here);
      if (timer === undefined) timer = setTimeout(flush, TELL_MS).unref();
    },
    learn(counts) {
      for (const [ip, count] of counts) put(others, ip, count);
    },
  };
}

function put(map: Map<string, number>, ip: string, count: number): void {
  if (count > 0) map.set(ip, count);
  else map.delete(ip);
}

/** The supervisor's side: who holds what, and what each has to be told. */
export interface Census {
  /** A worker that just began, and hears what the others hold. */
  enter(worker: number): Counts;
  /** What a worker told. @returns the news for each of the others */
  note(worker: number, counts: Counts): Map<number, Counts>;
  /** A worker is gone, and its connections with it. @returns the news for each of the others */
  leave(worker: number): Map<number, Counts>;
}

export function createCensus(): Census {
  const held = new Map<number, Map<string, number>>();
  const elsewhere = (worker: number, ip: string): number => {
    let sum = 0;
    for (const [other, counts] of held) if (other !== worker) sum += counts.get(ip) ?? 0;
    return sum;
  };
  const newsOf = (source: number, ips: readonly string[]): Map<number, Counts> =>
    new Map(
      [...held.keys()]
        .filter((worker) => worker !== source)
        .map((worker) => [worker, ips.map((ip) => [ip, elsewhere(worker, ip)] as const)]),
    );
  return {
    enter(worker) {
      held.set(worker, new Map());
      const ips = new Set([...held.values()].flatMap((counts) => [...counts.keys()]));
      return [...ips].map((ip) => [ip, elsewhere(worker, ip)]);
    },
    note(worker, counts) {
      const own = held.get(worker);
      if (!own) return new Map();
      for (const [ip, count] of counts) put(own, ip, count);
      return newsOf(
        worker,
        counts.map(([ip]) => ip),
      );
    },
    leave(worker) {
      const ips = [...(held.get(worker)?.keys() ?? [])];
      held.delete(worker);
      return ips.length === 0 ? new Map() : newsOf(worker, ips);
    },
  };
}
