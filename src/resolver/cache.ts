import type { Clock } from "../kit/clock.ts";
import type { Answer } from "../kit/names.ts";
import type { Unavailable } from "../kit/trouble.ts";

/** What is known of a question: an answer, or that nobody gave one. */
export type Known = { readonly answer: Answer<unknown> } | { readonly trouble: Unavailable };

export interface AnswerCache {
  /** @param due called, once, when the answer is near its end and should be asked for again before anybody has to wait */
  get(key: string, due?: () => void): Known | undefined;
  /** @param ttlMs how long it may be believed */
  put(key: string, known: Known, ttlMs: number): void;
}

interface Kept {
  readonly known: Known;
  /** From then on it is worth asking again. */
  renewAtMs: number;
  readonly untilMs: number;
  readonly bytes: number;
}

/** The last tenth of an answer's time; shorter ones are not worth it. */
const RENEW_SHARE = 0.1;
const RENEW_TTL_MIN_MS = 5000;

/** Objects and map entry, estimated: what is bounded is the order of magnitude. */
const OVERHEAD_BYTES = 200;

/** Answers until their time is over, the oldest thrown out first when there are too many or they are too large. */
export function createAnswerCache(
  { entriesMax, bytesMax }: { entriesMax: number; bytesMax: number },
  clock: Clock,
): AnswerCache {
  const kept = new Map<string, Kept>();
  let bytes = 0;
  const nowMs = (): number => clock.steadyMs?.() ?? clock.now();
  const drop = (key: string): void => {
    bytes -= kept.get(key)?.bytes ?? 0;
    kept.delete(key);
  };
  return {
    get(key, due) {
      const found = kept.get(key);
      if (!found) return undefined;
      const at = nowMs();
      if (found.untilMs <= at) {
        drop(key);
        return undefined;
      }
      if (at >= found.renewAtMs && due) {
        found.renewAtMs = Number.POSITIVE_INFINITY;
        due();
      }
      return found.known;
    },
    put(key, known, ttlMs) {
      drop(key);
      if (ttlMs <= 0) return;
      const size = sizeOf(key, known);
      if (size > bytesMax) return;
      const untilMs = nowMs() + ttlMs;
      const renews = "answer" in known && ttlMs >= RENEW_TTL_MIN_MS;
      const renewAtMs = renews ? untilMs - ttlMs * RENEW_SHARE : Number.POSITIVE_INFINITY;
      kept.set(key, { known, untilMs, renewAtMs, bytes: size });
      bytes += size;
      for (const oldest of kept.keys()) {
        if (kept.size <= entriesMax && bytes <= bytesMax) break;
        drop(oldest);
      }
    },
  };
}

function sizeOf(key: string, known: Known): number {
  let size = OVERHEAD_BYTES + key.length;
  if ("trouble" in known) return size;
  for (const record of known.answer.records) size += 64 + (typeof record === "string" ? record.length : 64);
  return size;
}
