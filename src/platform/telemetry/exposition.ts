import type { Labels, MetricSnapshot, SeriesSnapshot } from "./metrics.ts";

/** A way to write metrics down. */
export interface Format {
  contentType: string;
  write(metrics: MetricSnapshot[]): string;
}

/** Prometheus' text format (https://prometheus.io/docs/instrumenting/exposition_formats/). */
export const prometheusText: Format = {
  contentType: "text/plain; version=0.0.4; charset=utf-8",
  write: (metrics) =>
    metrics.map((metric) => writeMetric(metric, metric.name, { bound: String, help: escape })).join(""),
};

/**
 * OpenMetrics (https://prometheus.io/docs/specs/om/open_metrics_spec/). It calls a counter by the name without `_total`, writes the
 * bounds of buckets as floating-point numbers, and ends with a line that tells a whole answer from one that was cut off.
 */
export const openMetrics: Format = {
  contentType: "application/openmetrics-text; version=1.0.0; charset=utf-8",
  write: (metrics) => {
    const bound = (value: number): string => (Number.isInteger(value) ? value.toFixed(1) : String(value));
    return `${metrics.map((metric) => writeMetric(metric, metric.name.replace(/_total$/, ""), { bound, help: escapeQuoted })).join("")}# EOF\n`;
  },
};

/** The format that an Accept header prefers: OpenMetrics where it is named and not liked less than plain text. */
export function preferredFormat(accept: string): Format {
  const quality = (type: string): number => {
    const ranges = accept.split(",").filter((range) => range.trim().toLowerCase().startsWith(type));
    return Math.max(0, ...ranges.map((range) => Number(/;\s*q=([\d.]+)/.exec(range)?.[1] ?? 1)));
  };
  const wanted = quality("application/openmetrics-text");
  return wanted > 0 && wanted >= quality("text/plain") ? openMetrics : prometheusText;
}

/** What the formats write differently. */
interface Style {
  bound: (value: number) => string;
  help: (text: string) => string;
}

function writeMetric({ name, help, type, series }: MetricSnapshot, family: string, style: Style): string {
  const lines = series.flatMap((one) => writeSeries(name, one, style.bound));
  return [`# HELP ${family} ${style.help(help)}`, `# TYPE ${family} ${type}`, ...lines, ""].join("\n");
}

function writeSeries(
  name: string,
  { labels, value, buckets }: SeriesSnapshot,
  bound: (value: number) => string,
): string[] {
  if (!buckets) return [`${name}${writeLabels(labels)} ${value}`];
  return [
    ...buckets.map(
      ([le, count]) => `${name}_bucket${writeLabels({ ...labels, le: le === Infinity ? "+Inf" : bound(le) })} ${count}`,
    ),
    `${name}_sum${writeLabels(labels)} ${value}`,
    `${name}_count${writeLabels(labels)} ${buckets.at(-1)![1]}`,
  ];
}

function writeLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeQuoted(value)}"`);
  return pairs.length > 0 ? `{${pairs.join(",")}}` : "";
}

function escape(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function escapeQuoted(text: string): string {
  return escape(text).replaceAll('"', '\\"');
}
