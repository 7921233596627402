/**
 * Nobody reads in the ledger unseen: that somebody begins to search is written before anything is shown, how much was shown when it
 * is over. A search that was broken off has no end.
 */
import type { Entry } from "./entry.ts";
import type { Journal } from "./journal.ts";
import type { Recorder } from "./recorder.ts";

/** What is asked, as small facts: "to", "since", "case" … */
export type Asked = Readonly<Record<string, string | number | boolean>>;

export interface LookUp {
  /** Ties beginning and end together. */
  readonly id: string;
  /** How much was shown. @throws Unavailable */
  end(hits: number): Promise<void>;
}

export interface Looking {
  readonly recorder: Recorder;
  readonly actor: string;
  readonly asked: Asked;
  /** A new id. */
  readonly id: string;
}

/** @throws Unavailable when it cannot be written; then nothing may be shown */
export async function beginLookUp({ recorder, actor, asked, id }: Looking): Promise<LookUp> {
  await recorder.record([{ event: "looked-up", actor, evidence: { ...asked, lookUp: id } }]);
  const end = (hits: number): Promise<void> =>
    recorder.record([{ event: "look-up-ended", actor, evidence: { lookUp: id, hits } }]);
  return { id, end };
}

/** A search that somebody made. */
export interface PastLookUp {
  readonly at: number;
  readonly actor: string;
  readonly asked: Asked;
  /** undefined: it was broken off, or is going on. */
  readonly hits?: number;
}

/** How many searches may be without their end at one time; older ones count as broken off. */
const OPEN_MAX = 10_000;

/** Puts beginnings and ends together. @param entries of both events, oldest first */
export async function* pastLookUps(entries: AsyncIterable<Entry>): AsyncGenerator<PastLookUp> {
  const open = new Map<string, PastLookUp>();
  for await (const { id, at, event, actor = "?", evidence = {} } of entries) {
    const { lookUp, hits, ...asked } = evidence;
    if (event === "looked-up") {
      open.set(String(lookUp ?? id), { at, actor, asked });
      const [oldest] = open;
      if (open.size > OPEN_MAX && oldest) {
        open.delete(oldest[0]);
        yield oldest[1];
      }
    } else if (event === "look-up-ended") {
      const begun = open.get(String(lookUp));
      open.delete(String(lookUp));
      if (begun) yield { ...begun, ...(hits !== undefined && { hits: Number(hits) }) };
    }
  }
  yield* open.values();
}

/** The journal of one who looks: that he looks is written, and not among what he finds. For a process that looks a few times. */
export function withoutOwnLooks(journal: Journal): Journal {
  const own = new Set<string>();
  return {
    ...journal,
    append(entries, when) {
      for (const { id, event } of entries) if (event === "looked-up") own.add(id);
      return journal.append(entries, when);
    },
    async *find(search, taken) {
      for await (const entry of journal.find(search, taken)) if (!own.has(entry.id)) yield entry;
    },
  };
}
