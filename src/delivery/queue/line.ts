import type { Lease } from "./spool.ts";

/** Fresh mails that wait for a hand, those of each destination in the order in which they came. */
export interface Line {
  readonly size: number;
  add(lease: Lease): void;
  /** Those that have somebody waiting. */
  destinations(): string[];
  next(destination: string): Lease | undefined;
  /** Takes out those of one destination. */
  clear(destination: string): Lease[];
  /** Takes out those that have waited longer. */
  olderThan(ms: number): Lease[];
}

interface Waiting {
  readonly lease: Lease;
  readonly sinceMs: number;
}

export function createLine(): Line {
  const queues = new Map<string, Waiting[]>();
  let size = 0;
  const take = (destination: string, count: number): Lease[] => {
    const queue = queues.get(destination) ?? [];
    const taken = queue.splice(0, count);
    if (queue.length === 0) queues.delete(destination);
    size -= taken.length;
    return taken.map(({ lease }) => lease);
  };
  return {
    get size() {
      return size;
    },
    add(lease) {
      const waiting = { lease, sinceMs: performance.now() };
      const queue = queues.get(lease.turn);
      if (queue) queue.push(waiting);
      else queues.set(lease.turn, [waiting]);
      size += 1;
    },
    destinations: () => [...queues.keys()],
    next: (destination) => take(destination, 1)[0],
    clear: (destination) => take(destination, Number.POSITIVE_INFINITY),
    olderThan(ms) {
      const bornMs = performance.now() - ms;
      return [...queues].flatMap(([destination, queue]) => {
        const young = queue.findIndex(({ sinceMs }) => sinceMs > bornMs);
        return take(destination, young < 0 ? queue.length : young);
      });
    },
  };
}
