/** Takes figures down in plain maps and arrays; they become metrics only when somebody reads them (render.ts). */
import { type HistogramName, METRICS, type Meter, type MetricName, type Reading } from "../kit/metrics.ts";

/** Upper bounds of the buckets, seconds. */
export const BUCKETS = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 20] as const;

/** Most label sets of one metric; further ones are counted together. */
const SERIES_MAX = 1_000;
const OTHERS = "others";

export interface Histogram {
  readonly labels: readonly string[];
  /** One for each bucket, not added up, and one for what is beyond. */
  readonly counts: readonly number[];
  readonly sum: number;
}

/** Everything one process counted, as it goes to another. */
export interface Snapshot {
  readonly values: Readonly<Partial<Record<MetricName, readonly Reading[]>>>;
  readonly histograms: Readonly<Partial<Record<HistogramName, readonly Histogram[]>>>;
}

export interface ReadableMeter extends Meter {
  snapshot(): Promise<Snapshot>;
  /** What was counted since the last time, for a process that counts for another; undefined: nothing. */
  take(): Snapshot | undefined;
  /** Counts what another process took. */
  absorb(taken: Snapshot): void;
}

interface Series {
  readonly labels: readonly string[];
  value: number;
}

interface Heap {
  readonly labels: readonly string[];
  readonly counts: Float64Array;
  sum: number;
}

const noSeries = (labels: readonly string[]): Series => ({ labels, value: 0 });
const noHeap = (labels: readonly string[]): Heap => ({
  labels,
  counts: new Float64Array(BUCKETS.length + 1),
  sum: 0,
});
const copyOf = ({ labels, counts, sum }: Heap): Histogram => ({ labels, counts: [...counts], sum });

export function createMeter(): ReadableMeter {
  const counters = new Map<MetricName, Map<string, Series>>();
  const heaps = new Map<HistogramName, Map<string, Heap>>();
  const readers: { name: MetricName; ask: () => readonly Reading[] | Promise<readonly Reading[]> }[] = [];
  const counted = (): { values: Partial<Record<MetricName, Reading[]>>; histograms: Snapshot["histograms"] } => ({
    values: Object.fromEntries(
      [...counters].map(([name, series]) => [name, [...series.values()].map((each) => ({ ...each }))]),
    ),
    histograms: Object.fromEntries([...heaps].map(([name, series]) => [name, [...series.values()].map(copyOf)])),
  });
  return {
    count(name, ...labels) {
      seriesOf(counters, name, labels, noSeries).value += 1;
    },
    observe(name, seconds, ...labels) {
      const heap = seriesOf(heaps, name, labels, noHeap);
      let bucket = 0;
      while (bucket < BUCKETS.length && seconds > (BUCKETS[bucket] as number)) bucket += 1;
      heap.counts[bucket] = (heap.counts[bucket] ?? 0) + 1;
      heap.sum += seconds;
    },
    read: (name, ask) => void readers.push({ name, ask }),
    async snapshot() {
      const { values, histograms } = counted();
      for (const { name, ask } of readers) values[name] = [...(values[name] ?? []), ...(await answerOf(ask))];
      return { values, histograms };
    },
    take() {
      if (counters.size + heaps.size === 0) return undefined;
      const taken = counted();
      counters.clear();
      heaps.clear();
      return taken;
    },
    absorb({ values, histograms }) {
      for (const [name, readings] of Object.entries(values)) {
        for (const { labels, value } of readings)
          seriesOf(counters, name as MetricName, labels, noSeries).value += value;
      }
      for (const [name, all] of Object.entries(histograms)) {
        for (const { labels, counts, sum } of all) {
          const heap = seriesOf(heaps, name as HistogramName, labels, noHeap);
          for (const [bucket, count] of counts.entries()) heap.counts[bucket] = (heap.counts[bucket] ?? 0) + count;
          heap.sum += sum;
        }
      }
    },
  };
}

/** What cannot be read now is left out: figures are no reason to fail. */
const answerOf = async (ask: () => readonly Reading[] | Promise<readonly Reading[]>): Promise<readonly Reading[]> => {
  try {
    return await ask();
  } catch {
    return [];
  }
};

function seriesOf<Name extends MetricName, One>(
  all: Map<Name, Map<string, One>>,
  name: Name,
  labels: readonly string[],
  make: (labels: readonly string[]) => One,
): One {
  let series = all.get(name);
  if (!series) {
    series = new Map();
    all.set(name, series);
  }
  const key = labels.length === 1 ? (labels[0] as string) : labels.join("\0");
  const known = series.get(key);
  if (known) return known;
  if (series.size >= SERIES_MAX && !labels.every((label) => label === OTHERS)) {
    return seriesOf(
      all,
      name,
      METRICS[name].labels.map(() => OTHERS),
      make,
    );
  }
  const made = make(labels);
  series.set(key, made);
  return made;
}
