/** Adds up what several processes counted and writes it down for Prometheus: prom-client does both. */
import { METRICS, type MetricName } from "../kit/metrics.ts";
import { BUCKETS, type Histogram, type Snapshot } from "./meter.ts";

/** What the text is, for Content-Type. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** One metric in the form in which prom-client passes metrics between processes. */
interface Passed {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly aggregator: "sum";
  readonly values: readonly { readonly value: number; readonly labels: object; readonly metricName?: string }[];
}

/** @param snapshots of all processes; figures with the same labels are added up */
export async function renderMetrics(snapshots: readonly Snapshot[]): Promise<string> {
  // Only where somebody asks: it would lie in every worker's memory.
  const { AggregatorRegistry } = await import("prom-client");
  return AggregatorRegistry.aggregate(snapshots.map(passed)).metrics();
}

const passed = ({ values, histograms }: Snapshot): Passed[] =>
  (Object.keys(METRICS) as MetricName[]).map((name) => {
    const { help, type } = METRICS[name];
    const own =
      type === "histogram"
        ? (histograms[name as keyof typeof histograms] ?? []).flatMap((each) => bucketsOf(name, each))
        : (values[name] ?? []).map(({ labels, value }) => ({ value, labels: named(name, labels) }));
    return { name, help, type, aggregator: "sum", values: own };
  });

const named = (name: MetricName, values: readonly string[]): Record<string, string> =>
  Object.fromEntries(METRICS[name].labels.map((label, index) => [label, values[index] ?? ""]));

/** Prometheus counts in each bucket all that is below its bound. */
function bucketsOf(name: MetricName, { labels, counts, sum }: Histogram): Passed["values"] {
  const own = named(name, labels);
  let below = 0;
  const buckets = counts.map((count, index) => {
    below += count;
    return { value: below, labels: { ...own, le: BUCKETS[index] ?? "+Inf" }, metricName: `${name}_bucket` };
  });
  return [
    ...buckets,
    { value: sum, labels: own, metricName: `${name}_sum` },
    { value: below, labels: own, metricName: `${name}_count` },
  ];
}
