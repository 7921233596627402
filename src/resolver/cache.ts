import type { Clock } from "../kit/clock.ts";
import type { Answer } from "../kit/names.ts";
import type { Unavailable } from "../kit/trouble.ts";

/** What is known of a question: an answer, or that nobody gave one. */
export type Known = { readonly answer: Answer<unknown> } | { readonly trouble: Unavailable };

export interface AnswerCache {
  get(key: string): Known | undefined;
  /** @param ttlMs how long it may be believed */
  put(key: string, known: Known, ttlMs: number): void;
}

interface Kept {
  readonly known: Known;
  readonly untilMs: number;
  readonly bytes: number;
}

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
    get(key) {
      const found = kept.get(key);
      if (!found) return undefined;
      if (found.untilMs > nowMs()) return found.known;
      drop(key);
      return undefined;
    },
    put(key, known, ttlMs) {
      drop(key);
      if (ttlMs <= 0) return;
      const size = sizeOf(key, known);
      if (size > bytesMax) return;
      kept.set(key, { known, untilMs: nowMs() + ttlMs, bytes: size });
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
