import { every } from "../../kit/every.ts";
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
  begin(attempt: Watched): void;
  end(attempt: Watched): void;
  readonly running: number;
  stop(): void;
}

export interface WatchOptions {
  readonly log: Log;
  /** Attempts older than this are named, once in each such time. */
  readonly slowMs: number;
  /** Attempts older than this are ended. */
  readonly endMs: number;
  /** Steady milliseconds. */
  now(): number;
}

/** Names what is stuck, and ends what is over its time though each single step was in time (a tarpit). */
export function createWatch({ log, slowMs, endMs, now }: WatchOptions): Watch {
  const running = new Set<Watched>();
  const look = async (): Promise<void> => {
    for (const attempt of running) {
      const { destination, step, server, mailId, connection } = attempt;
      const ageMs = now() - attempt.sinceMs;
      if (ageMs < slowMs) continue;
      const facts = { destination, step, server, mail: mailId, seconds: Math.round(ageMs / 1000) };
      if (ageMs < endMs) {
        log.warn(facts, "a delivery is slow");
      } else {
        log.warn(facts, "a delivery is ended: it is over its time");
        connection?.fail(
          new Broken({ name: server ?? destination, step: connection.step }, "timeout", { what: "over its time" }),
        );
      }
    }
  };
  const watching = every(Math.min(slowMs, endMs), look);
  return {
    begin: (attempt) => void running.add(attempt),
    end: (attempt) => void running.delete(attempt),
    get running() {
      return running.size;
    },
    stop: () => watching.stop(),
  };
}
