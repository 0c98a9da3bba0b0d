import type { MetricSnapshot, SeriesSnapshot, Together } from "./metrics.ts";

/** The metrics of several processes as if one process had them; the first one's come first. */
export function merge(processes: MetricSnapshot[][]): MetricSnapshot[] {
  const merged = new Map<string, { metric: MetricSnapshot; series: Map<string, SeriesSnapshot> }>();
  for (const metric of processes.flat()) {
    const { series } = merged.getOrInsertComputed(metric.name, () => ({ metric, series: new Map() }));
    for (const one of metric.series) {
      const key = JSON.stringify(one.labels, Object.keys(one.labels).toSorted());
      const before = series.get(key);
      series.set(key, before ? join(before, one, metric.together) : one);
    }
  }
  return [...merged.values()].map(({ metric, series }) => ({ ...metric, series: [...series.values()] }));
}

/** What stays of a process that has ended: what it counted. */
export function counted(metrics: MetricSnapshot[]): MetricSnapshot[] {
  return metrics.filter(({ type }) => type !== "gauge");
}

function join(a: SeriesSnapshot, b: SeriesSnapshot, together: Together): SeriesSnapshot {
  const value = joinValues[together](a.value, b.value);
  if (!a.buckets || !b.buckets) return { ...a, value };
  const counts = b.buckets;
  return { ...a, value, buckets: a.buckets.map(([bound, count], index) => [bound, count + counts[index]![1]]) };
}

const joinValues: Record<Together, (a: number, b: number) => number> = {
  sum: (a, b) => a + b,
  least: Math.min,
  most: Math.max,
  first: (a) => a,
};
