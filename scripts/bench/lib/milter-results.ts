import type { Filter } from "./filters.ts";
import { percentile } from "./latency.ts";
import { CROWD, CROWD_MAIL_BYTES, type Crowded } from "./milter-crowd.ts";
import { median, type Result } from "./report.ts";

/** A Postfix with one filter, or none, and what was measured of it. */
export interface Contender {
  readonly name: string;
  readonly port: number;
  readonly filter?: Filter;
  /** Mails a second, by round. */
  readonly rates: number[];
  /** Of each timed mail, ms. */
  readonly times: number[];
  /** Seconds of the filter's, for so many mails. */
  cpu: number;
  mails: number;
}

interface Pair {
  readonly name: string;
  readonly ours: string;
  readonly theirs: string;
  readonly target?: number;
}

const PAIRS: readonly Pair[] = [
  {
    name: "unix: consentry / do-nothing milter",
    ours: "consentry, unix",
    theirs: "do-nothing milter, unix",
    target: 0.9,
  },
  { name: "TCP: consentry / do-nothing milter", ours: "consentry, tcp", theirs: "do-nothing milter, tcp", target: 0.9 },
  { name: "unix: consentry / rspamd, 4 workers", ours: "consentry, unix", theirs: "4 workers, unix", target: 1.7 },
  { name: "TCP: consentry / rspamd, 4 workers", ours: "consentry, tcp", theirs: "4 workers, tcp", target: 1.7 },
  { name: "unix: do-nothing milter / rspamd, 4 workers", ours: "do-nothing milter, unix", theirs: "4 workers, unix" },
  { name: "unix: consentry / OpenDKIM", ours: "consentry, unix", theirs: "OpenDKIM, unix" },
  { name: "TCP: consentry / OpenDKIM", ours: "consentry, tcp", theirs: "OpenDKIM, tcp" },
  { name: "unix: consentry / Postfix alone", ours: "consentry, unix", theirs: "alone" },
];

/** Contenders that could not be started are left out, and what is held against them. */
export function milterResults(contenders: readonly Contender[], crowded: Crowded): Result[] {
  const named = (part: string): Contender | undefined => contenders.find(({ name }) => name.includes(part));
  const alone = percentile(named("alone")?.times ?? [], 0.99);
  const filtered = contenders.filter(({ filter }) => filter);
  return [
    ...PAIRS.flatMap((pair) => comparison(pair, named(pair.ours), named(pair.theirs))),
    ...contenders.map((each) => ({ name: `${each.name}: rate`, value: median(each.rates), unit: "mails/s" })),
    ...filtered.map(({ name, cpu, mails }) => ({
      name: `${name}: CPU of the filter`,
      value: (cpu / mails) * 1000,
      unit: "s per 1,000 mails",
    })),
    ...filtered.map(({ name, times }) => ({
      name: `${name}: p99 added per mail, one client`,
      value: percentile(times, 0.99) - alone,
      unit: "ms",
    })),
    ...crowdResults(crowded),
  ];
}

/** The machine is not the same from minute to minute: each round is compared with itself. */
function comparison({ name, target }: Pair, ours?: Contender, theirs?: Contender): Result[] {
  if (!ours || !theirs) return [];
  const ratios = ours.rates.map((rate, round) => rate / (theirs.rates[round] ?? Number.NaN));
  return [{ name, value: median(ratios), unit: "x", ...(target !== undefined && { target }) }];
}

const crowdResults = ({ accepted, tookMb, peakMb }: Crowded): Result[] => [
  {
    name: `${CROWD} connections with a mail of ${CROWD_MAIL_BYTES} bytes each: accepted`,
    value: accepted,
    target: CROWD,
    unit: "mails",
  },
  {
    name: "memory they took at the most",
    value: tookMb,
    target: Math.round((CROWD * CROWD_MAIL_BYTES * 2) / 1_048_576),
    bound: "most",
    unit: "MB",
  },
  { name: "peak memory in all", value: peakMb, unit: "MB" },
];
