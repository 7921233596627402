/**
 * Every figure a running relay tells, as one closed catalogue: docs/reference/metrics.md is written from it, and the dashboard and the alerts
 * of config/monitoring are held to it. Labels take their values from what we have (rules, articles, doors, verdicts), never from a client:
 * no address, no name, nothing somebody outside could make up.
 */
interface Form {
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly labels: readonly string[];
}

const counter = (help: string, ...labels: readonly string[]) => ({ type: "counter", help, labels }) as const;
const gauge = (help: string, ...labels: readonly string[]) => ({ type: "gauge", help, labels }) as const;
const histogram = (help: string, ...labels: readonly string[]) => ({ type: "histogram", help, labels }) as const;

export const METRICS = {
  consentry_entries_total: counter(
    "entries of the ledger by what happened; handed-over: the next hop took it",
    "event",
  ),
  consentry_verdicts_total: counter(
    "what became of recipients (and of senders refused before there was one)",
    "door",
    "direction",
    "verdict",
  ),
  consentry_findings_total: counter(
    "rules that had something to say; mode watch: only written down",
    "rule",
    "mode",
    "verdict",
  ),
  consentry_articles_total: counter("articles that findings rest on", "article"),
  consentry_stage_seconds: histogram(
    "judging one stage of a mail, all its rules together; each eighth is measured",
    "stage",
  ),
  consentry_rule_seconds: histogram("one rule's look; each 32nd is measured", "rule"),
  consentry_rule_faults_total: counter("rules that threw: a bug, and the mail was deferred", "rule"),
  consentry_ledger_seconds: histogram("from an entry to the disk, group commit and all"),
  consentry_ledger_errors_total: counter("appends that could not be written; what they belong to was put off"),
  consentry_ledger_lag_seconds: gauge("since the oldest hour ended that the archive does not have yet"),
  consentry_queue_mails: gauge("mails in the queue, whatever their state"),
  consentry_queue_leased: gauge(
    "of them, those that have been tried for a second, or are tried again, one for each destination",
  ),
  consentry_queue_late_seconds: gauge("how long the mail is overdue that should be tried next"),
  consentry_blocks_total: counter(
    "attempts that ended because a server blocks the address we come from; its mails wait, and the log names it",
  ),
  consentry_store_seconds: histogram("one operation of the store", "operation"),
  consentry_store_errors_total: counter("operations that the store did not answer", "operation"),
  consentry_dns_seconds: histogram("one question to DNS that no cache could answer"),
  consentry_dns_errors_total: counter("questions that no server answered in time"),
  consentry_connections: gauge("open connections", "door"),
  consentry_put_off_total: counter(
    "mails and connections that were put off because something was short",
    "asking",
    "shortage",
  ),
  consentry_overload_level: gauge("0: everybody is let in; 1: no strangers; 2: no clients; 3: nobody", "worker"),
  consentry_event_loop_lag_seconds: gauge("how late the event loop is, the middle of a second", "worker"),
  consentry_memory_bytes: gauge("memory of the process; kind heap: of it, what the program holds", "worker", "kind"),
  consentry_cpu_seconds_total: counter("processor time of the process", "worker"),
  consentry_started_seconds: gauge("when the process started, seconds since the epoch", "worker"),
  consentry_keeper: gauge("1 for the process that archives, deletes and posts for its node", "worker"),
  consentry_workers: gauge("processes that take mail now"),
  consentry_workers_silent: gauge("of them, those that did not tell their figures this time"),
  consentry_worker_ends_total: counter("workers that ended and were started again"),
} as const satisfies Readonly<Record<string, Form>>;

export type MetricName = keyof typeof METRICS;
type Named<Type extends Form["type"]> = {
  [Name in MetricName]: (typeof METRICS)[Name]["type"] extends Type ? Name : never;
}[MetricName];
export type CounterName = Named<"counter">;
export type GaugeName = Named<"gauge">;
export type HistogramName = Named<"histogram">;

/** One figure with its labels' values, in the order of the catalogue. */
export interface Reading {
  readonly labels: readonly string[];
  readonly value: number;
}

/** Takes figures down. Cheap: a count is a look into a map. */
export interface Meter {
  count(name: CounterName, ...labels: readonly string[]): void;
  observe(name: HistogramName, seconds: number, ...labels: readonly string[]): void;
  /** Is asked when somebody reads the figures; counters that somebody else keeps, too. */
  read(name: GaugeName | CounterName, ask: () => readonly Reading[] | Promise<readonly Reading[]>): void;
}

export const NO_METER: Meter = { count: () => undefined, observe: () => undefined, read: () => undefined };
