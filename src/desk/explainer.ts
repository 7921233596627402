/**
 * Explanations for whoever opens the link in a refusal (doors/http): the same as `consentry explain` gives, for everybody who holds a mail's id,
 * and so bounded. Only ids that this site has sealed are looked up, so that trying ids out costs a digest and shows nothing; so many looks a minute,
 * few at a time; each is an entry of the ledger, like every other look.
 */
import type { Clock } from "../kit/clock.ts";
import { withDeadline } from "../kit/deadline.ts";
import { type Ids, idTimeMs } from "../kit/ids.ts";
import { createRecent } from "../kit/recent.ts";
import type { Pack } from "../law/pack.ts";
import type { Entry } from "../ledger/entry.ts";
import { beginLookUp } from "../ledger/lookups.ts";
import type { LedgerReader } from "../ledger/query.ts";
import type { Recorder } from "../ledger/recorder.ts";
import type { Rule } from "../rules/define.ts";
import type { Certainties, Told } from "./explanation.ts";

export interface ExplainerParts {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly recorder: Recorder;
  /** Opens the ledger for one look; it is closed after it. */
  readonly openReader: () => Promise<Pick<LedgerReader, "find" | "close">>;
  readonly rules: readonly Rule[];
  /** In force now. */
  readonly law: () => {
    readonly packs: ReadonlyMap<string, Pack>;
    readonly hostname: string;
    /** Most looks a minute; 0: none, there is no page. */
    readonly perMinuteMax: number;
    /** How long a mail may wait in the queue before its end is written down, ms. */
    readonly lifetimeMs: number;
  };
}

/** What a page shows: an explanation in each language; that there is nothing to explain; or that it is too much just now. */
export type Explained = readonly Told[] | "unknown" | "later";

export interface Explainer {
  /**
   * @param from address of whoever asks
   * @throws Unavailable when the ledger cannot be read, or written to
   */
  explain(id: string, from: string): Promise<Explained>;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** Looks at a time. */
const BUSY_MAX = 2;
/** Below that of the door for a request. */
const LOOK_MS_MAX = 8_000;
/** Most entries looked at: a mail to more recipients is explained by its first. */
const ENTRIES_MAX = 1_000;
/** So many answers are kept, for so long: who opens a page again is no new look. */
const KEPT_MAX = 500;
const KEPT_MS = 5 * MINUTE_MS;

export function createExplainer(parts: ExplainerParts): Explainer {
  const { clock, ids } = parts;
  const kept = createRecent<Explained>(KEPT_MAX);
  const mayLook = paced(clock);
  let busy = 0;
  const look = async (id: string, from: string): Promise<Explained> => {
    busy += 1;
    try {
      const explained = await lookUp(parts, id, from);
      kept.set(id, explained, clock.now() + KEPT_MS);
      return explained;
    } finally {
      busy -= 1;
    }
  };
  return {
    async explain(given, from) {
      const id = given.toUpperCase();
      const { perMinuteMax } = parts.law();
      if (perMinuteMax === 0 || !ids.isOurs(id)) return "unknown";
      const known = kept.get(id, clock.now());
      if (known !== undefined) return known;
      if (busy >= BUSY_MAX || !mayLook(perMinuteMax)) return "later";
      return withDeadline(look(id, from), LOOK_MS_MAX, "ledger", "an explanation");
    },
  };
}

/** Counts whole minutes: what was left over of one does not help in the next. */
function paced(clock: Clock): (max: number) => boolean {
  let counted = { minute: -1, looks: 0 };
  return (max) => {
    const minute = Math.floor(clock.now() / MINUTE_MS);
    if (counted.minute !== minute) counted = { minute, looks: 0 };
    counted.looks += 1;
    return counted.looks <= max;
  };
}

async function lookUp(parts: ExplainerParts, id: string, from: string): Promise<Explained> {
  const { recorder, rules, law } = parts;
  const { packs, hostname, lifetimeMs } = law();
  const noted = await beginLookUp({
    recorder,
    actor: "explain page",
    asked: { explain: id, for: "customer", from },
    id: parts.ids.next(),
  });
  const reader = await parts.openReader();
  const entries: Entry[] = [];
  try {
    const search = { id, untilMs: idTimeMs(id) + lifetimeMs + DAY_MS };
    for await (const entry of reader.find(search, { limit: ENTRIES_MAX })) entries.push(entry);
  } finally {
    await reader.close();
  }
  await noted.end(entries.length);
  // The words of three languages stay out of the memory of workers that nobody asks.
  const [{ certaintiesOf, explanationOf, tell }, { WORD_LANGUAGES }] = await Promise.all([
    import("./explanation.ts"),
    import("../mail/reply-words.ts"),
  ]);
  const certainties = certain.get(packs) ?? certaintiesOf(packs.values(), rules);
  certain.set(packs, certainties);
  const explanation = explanationOf(id, entries, { packs: packs.values(), certainties });
  return explanation
    ? WORD_LANGUAGES.map((language) => tell(explanation, language, `postmaster@${hostname}`))
    : "unknown";
}

/** The same packs stay in force for long. */
const certain = new WeakMap<ReadonlyMap<string, Pack>, Certainties>();
