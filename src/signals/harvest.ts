/**
 * What gives a harvester away: many recipients that do not exist, runs of similar ones, addresses nobody ever used. Counted for
 * each client or address and for the network around it, in the store, so that it is one count over all workers and nodes.
 *
 * Honest senders cost nothing: recipients that exist are counted in memory and told to the store in batches that nobody waits
 * for; only an unknown one is told at once, and even then its own answer does not wait.
 */
import type { Clock } from "../kit/clock.ts";
import { createRecent } from "../kit/recent.ts";
import type { Key, Store } from "../kit/store.ts";
import type { Reply } from "../mail/replies.ts";
import type { Recipient } from "../mail/views.ts";
import { shapesOf } from "./similar.ts";
import type { Subjects } from "./subject.ts";

/** Thresholds; the options of the rule conduct/harvesting. */
export interface HarvestLimits {
  readonly windowMs: number;
  readonly unknownMin: number;
  readonly unknownShare: number;
  readonly similarMin: number;
  readonly networkFactor: number;
  readonly turnAwayAt: number;
  readonly blockAt: number;
  /** Addresses nobody was ever given, as keys. */
  readonly traps: readonly string[];
}

/** How a client or address stands: from 1 on it is suspected. */
export interface Suspicion {
  readonly score: number;
  /** What was counted, for the ledger. */
  readonly unknown: number;
  readonly known: number;
  readonly similar: number;
  /** The network around it has its own count. */
  readonly networkUnknown: number;
  readonly networkSimilar: number;
  /** It wrote to an address nobody was ever given. */
  readonly trapped: boolean;
}

export interface Tally {
  suspicion: Suspicion;
  /** Recipients that exist, not yet told to the store. */
  untold: number;
  countedAtMs: number;
  /** What is being told to the store; never rejects. */
  telling?: Promise<void> | undefined;
}

export const UNSUSPECTED: Suspicion = Object.freeze({
  score: 0,
  unknown: 0,
  known: 0,
  similar: 0,
  networkUnknown: 0,
  networkSimilar: 0,
  trapped: false,
});

/** Most clients and addresses counted at once in this process. */
const TALLIES_MAX = 20_000;
/** Existing recipients told to the store in one piece. */
const BATCH = 200;
const UNBOUNDED = Number.MAX_SAFE_INTEGER;

/**
 * 5.1.0, 5.1.1, 5.1.3, 5.1.6, 5.1.10 (RFC 3463 3.2, RFC 7505): the mailbox; 5.4.1 is what some say at their edge; 5.0.0 is a
 * server that has no enhanced codes.
 */
const NO_MAILBOX = /^5\.(?:0\.0|1\.(?:0|1|3|6|10)|4\.1)$/;

/** Did the next hop say that there is no such mailbox? */
export const saysUnknown = ({ code, enhanced }: Reply): boolean =>
  (code === 550 || code === 551 || code === 553) && NO_MAILBOX.test(enhanced);

export interface HarvestCount {
  tally(subjects: Subjects): Tally;
  /** An existing recipient. */
  known(subjects: Subjects, sinceMs: number): void;
  /** An unknown one, or (`local` absent) one that was turned away unasked. */
  unknown(subjects: Subjects, sinceMs: number, local?: string): Promise<Suspicion>;
}

/** @param limits asked for anew each time, as a reload may change them */
export function createHarvestCount(
  { windows, marks }: Pick<Store, "windows" | "marks">,
  clock: Clock,
  limits: () => HarvestLimits,
): HarvestCount {
  const tallies = createRecent<Tally>(TALLIES_MAX);
  const tallyOf = (own: string): Tally => {
    const nowMs = clock.now();
    const { windowMs } = limits();
    const found = tallies.get(own, nowMs);
    if (found) return found;
    const fresh: Tally = { suspicion: UNSUSPECTED, untold: 0, countedAtMs: nowMs };
    tallies.set(own, fresh, nowMs + windowMs);
    return fresh;
  };
  const take = async (key: Key, n: number): Promise<number> =>
    (await windows.take(key, { max: UNBOUNDED, windowMs: limits().windowMs, n })).taken;
  const both = (subjects: Subjects, id: string, n: number): Promise<[number, number]> =>
    Promise.all([
      take({ partition: subjects.own, id }, n),
      subjects.around === undefined ? 0 : take({ partition: subjects.around, id }, n),
    ]);
  /** The longest run that the local part belongs to, of the subject itself and of the network around it. */
  const runs = ({ own, around }: Subjects, sinceMs: number, local: string): Promise<[number, number]> => {
    const { windowMs } = limits();
    const shapes = shapesOf(local);
    const longest = async (partition: string): Promise<number> => {
      const counts = shapes.map((shape) =>
        marks.distinct({ partition, id: `run ${sinceMs} ${shape}` }, local.toLowerCase(), windowMs),
      );
      return Math.max(...(await Promise.all(counts)));
    };
    return Promise.all([longest(own), around === undefined ? 0 : longest(around)]);
  };
  const flush = (tally: Tally, subjects: Subjects, sinceMs: number): Promise<[number, number]> => {
    const n = tally.untold;
    tally.untold = 0;
    return both(subjects, `known ${sinceMs}`, n);
  };
  return {
    tally: ({ own }) => tallyOf(own),
    known(subjects, sinceMs) {
      const tally = tallyOf(subjects.own);
      tally.untold += 1;
      if (tally.untold >= BATCH) flush(tally, subjects, sinceMs).catch(() => undefined);
    },
    async unknown(subjects, sinceMs, local) {
      const tally = tallyOf(subjects.own);
      const [[unknown, networkUnknown], [known, networkKnown], [run, networkRun]] = await Promise.all([
        both(subjects, `unknown ${sinceMs}`, 1),
        flush(tally, subjects, sinceMs),
        local === undefined ? ([0, 0] as const) : runs(subjects, sinceMs, local),
      ]);
      const counted = {
        unknown,
        known,
        similar: Math.max(run, tally.suspicion.similar),
        networkUnknown,
        networkSimilar: Math.max(networkRun, tally.suspicion.networkSimilar),
        trapped: tally.suspicion.trapped,
      };
      const score = Math.max(scoreOf(counted, limits()), networkScore(counted, networkKnown, limits()));
      tally.suspicion = { ...counted, score };
      tally.countedAtMs = clock.now();
      return tally.suspicion;
    },
  };
}

type Counts = Omit<Suspicion, "score">;

/** 1 where suspicion begins; twice as many unknown recipients are 2. */
function scoreOf({ unknown, known, similar }: Counts, limits: HarvestLimits): number {
  if (unknown === 0) return 0;
  const share = unknown / (unknown + known);
  const byShare = share >= limits.unknownShare ? unknown / limits.unknownMin : 0;
  return Math.max(byShare, similar >= limits.similarMin ? unknown / limits.similarMin : 0);
}

/** The same for the network around, which is given more time. */
const networkScore = (counts: Counts, known: number, limits: HarvestLimits): number =>
  scoreOf(
    { ...counts, unknown: counts.networkUnknown, known, similar: counts.networkSimilar },
    {
      ...limits,
      unknownMin: limits.unknownMin * limits.networkFactor,
      similarMin: limits.similarMin * limits.networkFactor,
    },
  );

export const isTrap = ({ address }: Recipient, { traps }: HarvestLimits): boolean => traps.includes(address.key);
