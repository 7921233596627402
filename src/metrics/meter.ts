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

export function createMeter(): ReadableMeter {
  const counters = new Map<MetricName, Map<string, Series>>();
  const heaps = new Map<HistogramName, Map<string, Heap>>();
  const readers: { name: MetricName; ask: () => readonly Reading[] | Promise<readonly Reading[]> }[] = [];
  return {
    count(name, ...labels) {
      seriesOf(counters, name, labels, (own) => ({ labels: own, value: 0 })).value += 1;
    },
    observe(name, seconds, ...labels) {
      const make = (own: readonly string[]): Heap => ({
        labels: own,
        counts: new Float64Array(BUCKETS.length + 1),
        sum: 0,
      });
      const heap = seriesOf(heaps, name, labels, make);
      let bucket = 0;
      while (bucket < BUCKETS.length && seconds > (BUCKETS[bucket] as number)) bucket += 1;
      heap.counts[bucket] = (heap.counts[bucket] ?? 0) + 1;
      heap.sum += seconds;
    },
    read: (name, ask) => void readers.push({ name, ask }),
    async snapshot() {
      const values: Partial<Record<MetricName, Reading[]>> = {};
      for (const [name, series] of counters) values[name] = [...series.values()].map((each) => ({ ...each }));
      for (const { name, ask } of readers) values[name] = [...(values[name] ?? []), ...(await answerOf(ask))];
      const histograms: Partial<Record<HistogramName, Histogram[]>> = {};
      for (const [name, series] of heaps) {
        histograms[name] = [...series.values()].map(({ labels, counts, sum }) => ({
          labels,
          counts: [...counts],
          sum,
        }));
      }
      return { values, histograms };
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
