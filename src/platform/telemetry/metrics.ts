/** The labels of a series. Their values come from this program, never from a caller: each new one is a new series, for ever. */
export type Labels = Readonly<Record<string, string>>;

/** One number of a counter, which only grows, or of a gauge. */
export interface Value {
  value: number;
}

/** How often something took how long, in seconds. */
export interface Histogram {
  observe(seconds: number): void;
}

/** The metric of one name: a series for each set of labels. */
export interface Family<Series> {
  /** The series with these labels; it is made when it is first asked for. */
  with(labels?: Labels): Series;
}

/** What is measured. */
export interface Metrics {
  /** @param name ends in `_total` */
  counter(name: string, help: string): Family<Value>;
  gauge(name: string, help: string): Family<Value>;
  /** @param bounds the upper bounds of its buckets, ascending, in seconds */
  histogram(name: string, help: string, bounds: readonly number[]): Family<Histogram>;
  /** Calls `collect` before the metrics are read: for what is only worth finding out then. */
  onRead(collect: () => void): void;
  /** Reads all of it. */
  read(): MetricSnapshot[];
}

/** A metric as it is read. */
export interface MetricSnapshot {
  name: string;
  help: string;
  type: "counter" | "gauge" | "histogram";
  series: SeriesSnapshot[];
}

export interface SeriesSnapshot {
  labels: Labels;
  /** The number; of a histogram, the sum in seconds. */
  value: number;
  /** Of a histogram: how many observations were at most as long as each bound, and after them how many there were. */
  buckets?: [bound: number, count: number][];
}

/**
 * Bounds that resolve a service which answers in fractions of a millisecond, and still tell a second from ten. OpenTelemetry's
 * advice begins at 5 ms, where everything here would be in the first bucket.
 */
export const durationBounds = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
] as const;

/**
 * Counters, gauges and histograms for Prometheus, whose series are looked up once and then cost an addition. prom-client, the usual
 * library, hashes the labels of each observation, has gauges named `…_total` among its own (promtool refuses them), and writes
 * `…_total_total` in OpenMetrics.
 */
export function createMetrics(): Metrics {
  const families: (() => MetricSnapshot)[] = [];
  const collectors: (() => void)[] = [];

  const family = <Series>(
    head: Omit<MetricSnapshot, "series">,
    create: () => Series,
    read: (series: Series) => Omit<SeriesSnapshot, "labels">,
  ): Family<Series> => {
    const all = new Map<string, { labels: Labels; series: Series }>();
    families.push(() => ({
      ...head,
      series: [...all.values()].map(({ labels, series }) => ({ labels, ...read(series) })),
    }));
    return {
      with: (labels = {}) => {
        const key = JSON.stringify(labels);
        const entry = all.get(key) ?? { labels, series: create() };
        all.set(key, entry);
        return entry.series;
      },
    };
  };
  const value = (): Value => ({ value: 0 });
  const readValue = (series: Value): { value: number } => ({ value: series.value });

  return {
    counter: (name, help) => family({ name, help, type: "counter" }, value, readValue),
    gauge: (name, help) => family({ name, help, type: "gauge" }, value, readValue),
    histogram: (name, help, bounds) =>
      family(
        { name, help, type: "histogram" },
        () => createHistogram(bounds),
        (series) => series.read(),
      ),
    onRead: (collect) => collectors.push(collect),
    read: () => {
      for (const collect of collectors) collect();
      return families.map((read) => read());
    },
  };
}

function createHistogram(bounds: readonly number[]): Histogram & { read(): Omit<SeriesSnapshot, "labels"> } {
  const counts = new Float64Array(bounds.length + 1);
  let sum = 0;
  return {
    observe: (seconds) => {
      let bucket = 0;
      // From the left: most of what is observed is short.
      while (bucket < bounds.length && seconds > bounds[bucket]!) bucket++;
      counts[bucket]!++;
      sum += seconds;
    },
    read: () => {
      let count = 0;
      const buckets = [...counts].map((inBucket, index): [number, number] => {
        count += inBucket;
        return [bounds[index] ?? Infinity, count];
      });
      return { value: sum, buckets };
    },
  };
}
