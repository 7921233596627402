/** What `consentry top` makes of two readings of the metrics: rates in between, and how things stand. */
import { readMetrics, type Sample } from "../metrics/read.ts";

export interface Reading {
  readonly atMs: number;
  readonly samples: readonly Sample[];
}

export const readingOf = (text: string, atMs: number): Reading => ({ atMs, samples: readMetrics(text) });

/** Rates are for a second; without an earlier reading they are means since the start. */
export interface TopView {
  readonly workers: readonly WorkerLine[];
  readonly connections: Readonly<Record<string, number>>;
  /** Recipients, by what became of them. */
  readonly verdictsPerSecond: Readonly<Record<string, number>>;
  readonly entriesPerSecond: Readonly<Record<string, number>>;
  /** The rules that said most, those that act first. */
  readonly rules: readonly {
    readonly rule: string;
    readonly mode: string;
    readonly verdict: string;
    readonly perSecond: number;
  }[];
  /** Mean times, milliseconds. */
  readonly stagesMs: Readonly<Record<string, number>>;
  readonly storeMs: number;
  readonly dnsMs: number;
  readonly ledgerMs: number;
  readonly ledgerLagSeconds: number;
  /** Errors a second, of ledger, store and DNS. */
  readonly errorsPerSecond: Readonly<Record<string, number>>;
  readonly putOffPerSecond: number;
}

export interface WorkerLine {
  readonly worker: string;
  /** Of one processor, 0 to 1. */
  readonly cpu: number;
  readonly memoryMb: number;
  readonly lagMs: number;
  readonly overload: number;
  readonly keepsHouse: boolean;
}

const MB = 1_048_576;
const RULES_SHOWN = 8;

type Labels = Readonly<Record<string, string>>;

/** Sums over what the samples of a name have in common. */
function sumBy({ samples }: Reading, name: string, keyOf: (labels: Labels) => string): Map<string, number> {
  const sums = new Map<string, number>();
  for (const sample of samples) {
    if (sample.name !== name) continue;
    const key = keyOf(sample.labels);
    sums.set(key, (sums.get(key) ?? 0) + sample.value);
  }
  return sums;
}

export function viewOf(now: Reading, before: Reading | undefined): TopView {
  const startedAt = Math.min(...sumBy(now, "consentry_started_seconds", ({ worker = "" }) => worker).values());
  const sinceMs = before?.atMs ?? (Number.isFinite(startedAt) ? startedAt * 1_000 : now.atMs - 1_000);
  const seconds = Math.max(0.001, (now.atMs - sinceMs) / 1_000);
  const delta = (name: string, keyOf: (labels: Labels) => string): Map<string, number> => {
    const old = before ? sumBy(before, name, keyOf) : new Map<string, number>();
    // A worker that was started again begins at nothing.
    return new Map([...sumBy(now, name, keyOf)].map(([key, value]) => [key, Math.max(0, value - (old.get(key) ?? 0))]));
  };
  const rate = (name: string, label: string): Record<string, number> =>
    Object.fromEntries([...delta(name, (labels) => labels[label] ?? "")].map(([key, value]) => [key, value / seconds]));
  const total = (name: string): number => [...delta(name, () => "").values()].reduce((sum, value) => sum + value, 0);
  const meanMs = (name: string): number => (1_000 * total(`${name}_sum`)) / Math.max(1, total(`${name}_count`));
  const sums = delta("consentry_stage_seconds_sum", ({ stage = "" }) => stage);
  const counts = delta("consentry_stage_seconds_count", ({ stage = "" }) => stage);
  const stagesMs = [...sums].map(([stage, sum]) => [stage, (1_000 * sum) / Math.max(1, counts.get(stage) ?? 0)]);
  return {
    workers: workersOf(
      now,
      delta("consentry_cpu_seconds_total", ({ worker = "" }) => worker),
      seconds,
    ),
    connections: Object.fromEntries(sumBy(now, "consentry_connections", ({ door = "" }) => door)),
    verdictsPerSecond: rate("consentry_verdicts_total", "verdict"),
    entriesPerSecond: rate("consentry_entries_total", "event"),
    rules: rulesOf(
      delta("consentry_findings_total", ({ rule, mode, verdict }) => [mode, rule, verdict].join(" ")),
      seconds,
    ),
    stagesMs: Object.fromEntries(stagesMs),
    storeMs: meanMs("consentry_store_seconds"),
    dnsMs: meanMs("consentry_dns_seconds"),
    ledgerMs: meanMs("consentry_ledger_seconds"),
    ledgerLagSeconds: Math.max(0, ...sumBy(now, "consentry_ledger_lag_seconds", () => "").values()),
    errorsPerSecond: {
      ledger: total("consentry_ledger_errors_total") / seconds,
      store: total("consentry_store_errors_total") / seconds,
      dns: total("consentry_dns_errors_total") / seconds,
    },
    putOffPerSecond: total("consentry_put_off_total") / seconds,
  };
}

function workersOf(now: Reading, cpu: ReadonlyMap<string, number>, seconds: number): WorkerLine[] {
  const of = (name: string, kind?: string): Map<string, number> => {
    const samples = kind === undefined ? now.samples : now.samples.filter(({ labels }) => labels.kind === kind);
    return sumBy({ ...now, samples }, name, ({ worker = "" }) => worker);
  };
  const [memory, lag] = [of("consentry_memory_bytes", "resident"), of("consentry_event_loop_lag_seconds")];
  const [overload, keeper] = [of("consentry_overload_level"), of("consentry_keeper")];
  return [...memory].map(([worker, bytes]) => ({
    worker,
    cpu: (cpu.get(worker) ?? 0) / seconds,
    memoryMb: bytes / MB,
    lagMs: 1_000 * (lag.get(worker) ?? 0),
    overload: overload.get(worker) ?? 0,
    keepsHouse: keeper.get(worker) === 1,
  }));
}

const rulesOf = (findings: ReadonlyMap<string, number>, seconds: number): TopView["rules"] =>
  [...findings]
    .filter(([, count]) => count > 0)
    .sort(([a, one], [b, other]) => other - one || a.localeCompare(b))
    .slice(0, RULES_SHOWN)
    .map(([key, count]) => {
      const [mode = "", rule = "", verdict = ""] = key.split(" ");
      return { rule, mode, verdict, perSecond: count / seconds };
    });

const rated = (rates: Readonly<Record<string, number>>): string =>
  Object.entries(rates)
    .map(([name, value]) => `${name} ${brief(value)}/s`)
    .join("   ") || "nothing";
const timed = (times: Readonly<Record<string, number>>): string =>
  Object.entries(times)
    .map(([name, ms]) => `${name} ${brief(ms)} ms`)
    .join("   ") || "nothing";
const brief = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toFixed(value >= 1 ? 1 : 2));

/** The view as lines of a terminal. */
export function textOf(view: TopView): string[] {
  const open = Object.entries(view.connections).map(([door, count]) => `${door} ${count}`);
  return [
    "worker   cpu    memory      late by   overload",
    ...view.workers.map(
      ({ worker, cpu, memoryMb, lagMs, overload, keepsHouse }) =>
        `${worker.padStart(6)}  ${`${(cpu * 100).toFixed(0)} %`.padStart(5)}  ${`${memoryMb.toFixed(0)} MB`.padStart(7)}  ${`${brief(lagMs)} ms`.padStart(9)}  ${String(overload).padStart(9)}${keepsHouse ? "   keeps the house" : ""}`,
    ),
    "",
    `connections   ${open.join("   ") || "none"}`,
    `recipients    ${rated(view.verdictsPerSecond)}`,
    `entries       ${rated(view.entriesPerSecond)}`,
    `stages        ${timed(view.stagesMs)}`,
    `waits         ${timed({ ledger: view.ledgerMs, store: view.storeMs, dns: view.dnsMs })}   archive behind ${brief(view.ledgerLagSeconds / 60)} min`,
    `errors        ${rated(view.errorsPerSecond)}   put off ${brief(view.putOffPerSecond)}/s`,
    "",
    ...view.rules.map(
      ({ rule, mode, verdict, perSecond }) =>
        `${`${brief(perSecond)}/s`.padStart(10)}  ${mode === "watch" ? "~" : " "}${rule.padEnd(36)} ${verdict}`,
    ),
  ];
}
