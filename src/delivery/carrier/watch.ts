import type { Log } from "../../kit/log.ts";
import { Broken } from "../smtp/broken.ts";
import type { Connection } from "../smtp/connection.ts";

/** An attempt under way, as whoever watches sees it. */
export interface Watched {
  readonly destination: string;
  readonly mailId: string;
  readonly sinceMs: number;
  /** What is waited for now. */
  step: string;
  /** The server that is spoken to. */
  server: string | undefined;
  connection: Connection | undefined;
}

export interface Watch {
  /** @returns tells that it is over */
  begin(attempt: Watched): () => void;
  readonly running: number;
  /** Under way to one destination. */
  runningTo(destination: string): number;
  /** Waits until nothing is under way, at most so long. */
  idle(timeoutMs: number): Promise<void>;
  stop(): void;
}

export interface WatchOptions {
  readonly log: Log;
  /** An attempt that is older is named in the log, and again each time it is so much older. */
  readonly slowMs: number;
  /** An attempt that is older is ended, though each single step was in time (a tarpit). */
  readonly endMs: number;
  /** Steady milliseconds. */
  now(): number;
}

/** How often is looked for what is slow, at most. */
const LOOK_MS = 60_000;

/** Names what is stuck, with destination and step, and ends what is over its time. */
export function createWatch({ log, slowMs, endMs, now }: WatchOptions): Watch {
  const running = new Set<Watched>();
  const named = new WeakMap<Watched, number>();
  const factsOf = ({ destination, step, server, mailId, sinceMs }: Watched) => {
    return { destination, step, server, mail: mailId, seconds: Math.round((now() - sinceMs) / 1000) };
  };
  const look = (): void => {
    for (const attempt of running) {
      if (now() - (named.get(attempt) ?? attempt.sinceMs) < slowMs) continue;
      named.set(attempt, now());
      log.warn(factsOf(attempt), "a delivery is slow");
    }
  };
  let onIdle = (): void => undefined;
  const looking = setInterval(look, Math.min(slowMs, LOOK_MS)).unref();
  return {
    begin(attempt) {
      running.add(attempt);
      const timer = setTimeout(
        () => {
          log.warn(factsOf(attempt), "a delivery is ended: it is over its time");
          const { connection, server, destination } = attempt;
          const where = { name: server ?? destination, step: connection?.step ?? "connecting" };
          connection?.fail(new Broken(where, "timeout", { what: "over its time" }));
        },
        endMs - (now() - attempt.sinceMs),
      ).unref();
      return () => {
        clearTimeout(timer);
        running.delete(attempt);
        if (running.size === 0) onIdle();
      };
    },
    get running() {
      return running.size;
    },
    runningTo(destination) {
      let count = 0;
      for (const attempt of running) if (attempt.destination === destination) count += 1;
      return count;
    },
    async idle(timeoutMs) {
      if (running.size === 0) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        onIdle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    },
    stop: () => clearInterval(looking),
  };
}
