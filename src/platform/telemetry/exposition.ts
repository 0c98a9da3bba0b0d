import type { Labels, Metric } from "./metrics.ts";

/** Exposition format of metrics. */
interface Format {
  contentType: string;
  write(metrics: Metric[]): string;
}

/** Prometheus' text format (https://prometheus.io/docs/instrumenting/exposition_formats/). */
export const prometheusText: Format = {
  contentType: "text/plain; version=0.0.4; charset=utf-8",
  write: (metrics) => metrics.map((metric) => writeMetric(metric, metric.name, escape(metric.help), String)).join(""),
};

/**
 * OpenMetrics (https://prometheus.io/docs/specs/om/open_metrics_spec/). The family of a counter has no `_total`, the bounds of buckets are
 * floating-point numbers, and a last line marks a complete response.
 */
export const openMetrics: Format = {
  contentType: "application/openmetrics-text; version=1.0.0; charset=utf-8",
  write: (metrics) => {
    const bound = (value: number): string => (Number.isInteger(value) ? value.toFixed(1) : String(value));
    const written = metrics.map((metric) =>
      writeMetric(metric, metric.name.replace(/_total$/, ""), escapeQuoted(metric.help), bound),
    );
    return `${written.join("")}# EOF\n`;
  },
};

/** Returns the format that an Accept header prefers: OpenMetrics if it is named with at least the quality of plain text. */
export function preferredFormat(accept: string): Format {
  const quality = (type: string): number => {
    const ranges = accept.split(",").filter((range) => range.trim().toLowerCase().startsWith(type));
    return Math.max(0, ...ranges.map((range) => Number(/;\s*q=([\d.]+)/.exec(range)?.[1] ?? 1)));
  };
  const wanted = quality("application/openmetrics-text");
  return wanted > 0 && wanted >= quality("text/plain") ? openMetrics : prometheusText;
}

function writeMetric(metric: Metric, family: string, help: string, bound: (value: number) => string): string {
  const { name, type, series } = metric;
  const lines = series.flatMap(({ labels, value, buckets }) => {
    if (!buckets) return `${name}${writeLabels(labels)} ${value}`;
    const counts = buckets.map(
      ([le, count]) => `${name}_bucket${writeLabels({ ...labels, le: le === Infinity ? "+Inf" : bound(le) })} ${count}`,
    );
    const total = buckets.at(-1)![1];
    return [...counts, `${name}_sum${writeLabels(labels)} ${value}`, `${name}_count${writeLabels(labels)} ${total}`];
  });
  return [`# HELP ${family} ${help}`, `# TYPE ${family} ${type}`, ...lines, ""].join("\n");
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
