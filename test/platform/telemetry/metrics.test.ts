import test from "ava";
import { openMetrics, preferredFormat, prometheusText } from "../../../src/platform/telemetry/exposition.ts";
import { createMetrics } from "../../../src/platform/telemetry/metrics.ts";
import type { Metrics } from "../../../src/platform/telemetry/metrics.ts";

function sample(): Metrics {
  const metrics = createMetrics();
  metrics.counter("calls_total", "Calls.").with({ method: "a" }).value += 2;
  metrics.gauge("ready", 'Ready\\now\n"1".').with().value = 1;
  const duration = metrics.histogram("duration_seconds", "Duration.", [0.1, 1]).with({ method: 'a"\\\n' });
  for (const seconds of [0.05, 0.1, 0.5, 2]) duration.observe(seconds);
  return metrics;
}

test("Prometheus' text format has the help, the type and the series of each metric", (t) => {
  t.is(
    prometheusText.write(sample().read()),
    String.raw`# HELP calls_total Calls.
# TYPE calls_total counter
calls_total{method="a"} 2
# HELP ready Ready\\now\n"1".
# TYPE ready gauge
ready 1
# HELP duration_seconds Duration.
# TYPE duration_seconds histogram
duration_seconds_bucket{method="a\"\\\n",le="0.1"} 2
duration_seconds_bucket{method="a\"\\\n",le="1"} 3
duration_seconds_bucket{method="a\"\\\n",le="+Inf"} 4
duration_seconds_sum{method="a\"\\\n"} 2.65
duration_seconds_count{method="a\"\\\n"} 4
`,
  );
});

test("OpenMetrics names a counter without _total, writes bounds as floats, escapes quotes in help, and ends with EOF", (t) => {
  t.is(
    openMetrics.write(sample().read()),
    String.raw`# HELP calls Calls.
# TYPE calls counter
calls_total{method="a"} 2
# HELP ready Ready\\now\n\"1\".
# TYPE ready gauge
ready 1
# HELP duration_seconds Duration.
# TYPE duration_seconds histogram
duration_seconds_bucket{method="a\"\\\n",le="0.1"} 2
duration_seconds_bucket{method="a\"\\\n",le="1.0"} 3
duration_seconds_bucket{method="a\"\\\n",le="+Inf"} 4
duration_seconds_sum{method="a\"\\\n"} 2.65
duration_seconds_count{method="a\"\\\n"} 4
# EOF
`,
  );
});

test("a collector runs at each read", (t) => {
  const metrics = createMetrics();
  const gauge = metrics.gauge("reads", "Reads.").with();
  metrics.onRead(() => gauge.value++);
  metrics.read();
  t.like(metrics.read()[0], { series: [{ value: 2 }] });
});

test("the same labels give the same series", (t) => {
  const counter = createMetrics().counter("calls_total", "Calls.");
  t.is(counter.with({ a: "1" }), counter.with({ a: "1" }));
  t.not(counter.with({ a: "1" }), counter.with({ a: "2" }));
});

const accepts = [
  ["", prometheusText],
  ["*/*", prometheusText],
  ["text/plain", prometheusText],
  ["application/openmetrics-text", openMetrics],
  ["application/openmetrics-text;q=0, text/plain", prometheusText],
  ["text/plain;version=0.0.4;q=0.9,application/openmetrics-text;q=0.5", prometheusText],
  // The headers of Prometheus 2 and 3.
  [
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
    openMetrics,
  ],
  [
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
    openMetrics,
  ],
] as const;
for (const [accept, format] of accepts) {
  test(`Accept: ${accept} gets ${format.contentType}`, (t) => {
    t.is(preferredFormat(accept), format);
  });
}
