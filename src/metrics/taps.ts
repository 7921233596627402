/** Where figures are taken: round recorder, journal, store and pipeline, so that none of them knows of it. */
import type { Meter } from "../kit/metrics.ts";
import type { Store } from "../kit/store.ts";
import type { Entry } from "../ledger/entry.ts";
import type { Journal } from "../ledger/journal.ts";
import type { Happening, Recorder } from "../ledger/recorder.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import type { RuleSetting } from "../pipeline/settings.ts";

const secondsSince = (began: number): number => (performance.now() - began) / 1_000;

/** Counts what is written down, once it is. */
export function countedRecorder(recorder: Recorder, meter: Meter): Recorder {
  return {
    async record(happenings, when) {
      await recorder.record(happenings, when);
      for (const happening of happenings) countEntry(meter, happening);
    },
  };
}

/** The next hop's word is no judgement of ours. */
const JUDGED: ReadonlySet<string> = new Set(["received", "held", "deferred", "refused"]);

function countEntry(meter: Meter, entry: Happening): void {
  meter.count("consentry_entries_total", entry.event);
  if (entry.verdict === undefined || !JUDGED.has(entry.event)) return;
  meter.count("consentry_verdicts_total", entry.door ?? "none", entry.direction ?? "unknown", entry.verdict);
  countFindings(meter, entry, entry.verdict);
}

function countFindings(
  meter: Meter,
  { rules = [], articles = [] }: Happening,
  verdict: NonNullable<Entry["verdict"]>,
): void {
  for (const rule of rules) {
    const watched = rule.startsWith("~");
    meter.count("consentry_findings_total", watched ? rule.slice(1) : rule, watched ? "watch" : "enforce", verdict);
  }
  for (const article of articles) meter.count("consentry_articles_total", article);
}

/** Measures how long entries take to the disk. */
export const timedJournal = (journal: Journal, meter: Meter): Journal => ({
  ...journal,
  async append(entries, when) {
    const began = performance.now();
    try {
      await journal.append(entries, when);
    } catch (error) {
      meter.count("consentry_ledger_errors_total");
      throw error;
    }
    // What nobody waits for waits for company.
    if (when !== "soon") meter.observe("consentry_ledger_seconds", secondsSince(began));
  },
});

/** Measures each operation of a store; streams are left alone. */
export function timedStore(store: Store, meter: Meter): Store {
  const timed = async <T>(operation: string, work: Promise<T>): Promise<T> => {
    const began = performance.now();
    try {
      return await work;
    } catch (error) {
      meter.count("consentry_store_errors_total", operation);
      throw error;
    } finally {
      meter.observe("consentry_store_seconds", secondsSince(began), operation);
    }
  };
  const { tables, windows, admissions, marks } = store;
  return {
    tables: {
      get: (...asked) => timed("get", tables.get(...asked)),
      getMany: (...asked) => timed("get-many", tables.getMany(...asked)),
      put: (...asked) => timed("put", tables.put(...asked)),
      putMany: (...asked) => timed("put-many", tables.putMany(...asked)),
      remove: (...asked) => timed("remove", tables.remove(...asked)),
      list: (...asked) => tables.list(...asked),
      scan: (...asked) => tables.scan(...asked),
    },
    windows: {
      take: (...asked) => timed("take", windows.take(...asked)),
      giveBack: (...asked) => timed("give-back", windows.giveBack(...asked)),
    },
    admissions: { admit: (...asked) => timed("admit", admissions.admit(...asked)) },
    marks: {
      first: (...asked) => timed("first", marks.first(...asked)),
      distinct: (...asked) => timed("distinct", marks.distinct(...asked)),
    },
    ping: () => timed("ping", store.ping()),
    close: () => store.close(),
  };
}

/** One stage in so many is measured, one rule's look in so many: what each costs is known soon enough. */
const EACH_STAGE = 8;
const EACH = 32;

/** Measures each stage now and then. */
export function timedPipeline(pipeline: Pipeline, meter: Meter): Pipeline {
  const turns = new Map<string, number>();
  return {
    has: pipeline.has,
    run(stage, view) {
      const turn = turns.get(stage) ?? 0;
      turns.set(stage, (turn + 1) % EACH_STAGE);
      if (turn !== 0) return pipeline.run(stage, view);
      const began = performance.now();
      return pipeline.run(stage, view).then((verdict) => {
        meter.observe("consentry_stage_seconds", secondsSince(began), stage);
        return verdict;
      });
    },
  };
}

type Look = (view: never, context: never) => unknown;

/** Rules that are measured now and then; each is otherwise as it was. */
export const timedSettings = (settings: readonly RuleSetting[], meter: Meter): RuleSetting[] =>
  settings.map((setting) => {
    const looks = Object.entries(setting.rule.looks as Record<string, Look>).map(
      ([stage, look]) => [stage, timedLook(look, setting.rule.id, meter)] as const,
    );
    return { ...setting, rule: { ...setting.rule, looks: Object.fromEntries(looks) as typeof setting.rule.looks } };
  });

function timedLook(look: Look, rule: string, meter: Meter): Look {
  let turn = 0;
  return (view, context) => {
    turn = (turn + 1) % EACH;
    if (turn !== 0) return look(view, context);
    const began = performance.now();
    const tell = (): void => meter.observe("consentry_rule_seconds", secondsSince(began), rule);
    const said = look(view, context);
    if (said instanceof Promise) said.then(tell, tell);
    else tell();
    return said;
  };
}
