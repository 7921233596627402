import type { Clock } from "../kit/clock.ts";
import { Unavailable } from "../kit/trouble.ts";

/**
 * Tells servers that are silent from a name whose own servers are. When nothing at all was heard for half of a question's time,
 * the servers are asked for something any of them knows. Is that not answered either before the question's time is over, then
 * nobody has to find out again: for a while every further question fails at once, so that a mail waits for a silent DNS once
 * and not once for each of its names.
 */
export interface Silence {
  /** @throws Unavailable("dns") while it lasts */
  throwIfSilent(): void;
  /** A server said anything. */
  heard(): void;
  /** Accompanies one question. @returns to be called when it ends, saying whether its time was over */
  accompany(): (isOver: boolean) => void;
}

export interface SilenceOptions {
  /** Longest wait for the answer to one question, ms. */
  readonly timeoutMs: number;
  /** How long nobody is asked again, ms. */
  readonly failureTtlMs: number;
  /** Asks every server for something it knows; what is heard is told by `heard`. Bounded by the signal; may reject. */
  probe(signal: AbortSignal): Promise<unknown>;
}

export function createSilence({ timeoutMs, failureTtlMs, probe }: SilenceOptions, clock: Clock): Silence {
  const nowMs = (): number => clock.steadyMs?.() ?? clock.now();
  let lastHeardMs = Number.NEGATIVE_INFINITY;
  let untilMs = Number.NEGATIVE_INFINITY;
  let isProbing = false;

  const doubt = (sinceMs: number): void => {
    if (isProbing || lastHeardMs >= sinceMs) return;
    isProbing = true;
    const ended = (): void => {
      isProbing = false;
    };
    probe(AbortSignal.timeout(timeoutMs)).then(ended, ended);
  };
  return {
    throwIfSilent() {
      if (untilMs > nowMs()) throw new Unavailable("dns", "the servers are silent");
    },
    heard() {
      lastHeardMs = nowMs();
      untilMs = Number.NEGATIVE_INFINITY;
    },
    accompany() {
      const sinceMs = nowMs();
      const timer = setTimeout(doubt, timeoutMs / 2, sinceMs);
      return (isOver) => {
        clearTimeout(timer);
        if (isOver && lastHeardMs < sinceMs) untilMs = nowMs() + failureTtlMs;
      };
    },
  };
}
