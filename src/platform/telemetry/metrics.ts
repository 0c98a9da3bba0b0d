import { memoize } from "./memoize.ts";

/** Labels of a series. Values never come from a caller: each new one is a new series, so the cardinality would be unbounded. */
export type Labels = Readonly<Record<string, string>>;

/** Counter or gauge. */
export type Value = { value: number };

/** Distribution of durations. */
export type Histogram = { observe(seconds: number): void };

/** Metric with one series for each set of labels. */
export interface Family<Series> {
  /** Returns the series with these labels, and creates it at 0 on first use. An undefined label is absent. */
  with(labels?: Readonly<Record<string, string | undefined>>): Series;
}

export type Metrics = ReturnType<typeof createMetrics>;

export interface Metric {
  name: string;
  help: string;
  type: "counter" | "gauge" | "histogram";
  series: Series[];
}

interface Series {
  labels: Labels;
  /** The value; the sum in seconds for a histogram. */
  value: number;
  /** Cumulative count for each bound of a histogram; the last bound is Infinity. */
  buckets?: [bound: number, count: number][];
}

/**
 * Bounds of durations, in seconds, from fractions of a millisecond to ten seconds. OpenTelemetry's advice begins at 5 ms, so that most
 * requests would share the first bucket.
 */
export const durationBounds = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
] as const;

/**
 * Creates a registry of counters, gauges and histograms for Prometheus. A series is looked up once, and then costs an addition. The usual
 * library, prom-client, hashes the labels of each observation, has gauges named `…_total`, which promtool rejects, and writes
 * `…_total_total` in OpenMetrics.
 */
export function createMetrics() {
  const metrics: Metric[] = [];
  const collectors: (() => void)[] = [];

  const family = <S extends Series>(head: Omit<Metric, "series">, create: (labels: Labels) => S): Family<S> => {
    const series: S[] = [];
    metrics.push({ ...head, series });
    const find = memoize((key: string) => {
      const created = create(JSON.parse(key) as Labels);
      series.push(created);
      return created;
    });
    return { with: (labels = {}) => find(JSON.stringify(labels)) };
  };
  const createValue = (labels: Labels): Series => ({ labels, value: 0 });

  return {
    /** @param name ends in `_total` */
    counter: (name: string, help: string): Family<Value> => family({ name, help, type: "counter" }, createValue),
    gauge: (name: string, help: string): Family<Value> => family({ name, help, type: "gauge" }, createValue),
    /** @param bounds upper bounds of the buckets, ascending, in seconds */
    histogram: (name: string, help: string, bounds: readonly number[] = durationBounds): Family<Histogram> =>
      family({ name, help, type: "histogram" }, (labels) => createHistogram(labels, bounds)),
    /** Calls `collect` before each reading, for values that are expensive to keep current. */
    onRead: (collect: () => void): void => void collectors.push(collect),
    /** Returns the metrics as they are: later observations change them. */
    read: (): Metric[] => {
      for (const collect of collectors) collect();
      return metrics;
    },
  };
}

function createHistogram(labels: Labels, bounds: readonly number[]): Series & Histogram {
  const counts = new Float64Array(bounds.length + 1);
  return {
    labels,
    value: 0,
    observe(seconds) {
      let bucket = 0;
      // From the left, because most durations are short.
      while (bucket < bounds.length && seconds > bounds[bucket]!) bucket++;
      counts[bucket]!++;
      this.value += seconds;
    },
    get buckets() {
      let count = 0;
      return Array.from(counts, (inBucket, index) => {
        count += inBucket;
        return [bounds[index] ?? Infinity, count] as [number, number];
      });
    },
  };
}
