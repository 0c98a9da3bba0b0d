import test from "ava";
import { merge, counted } from "../../src/telemetry/merge.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import type { Metrics, Together } from "../../src/telemetry/metrics.ts";
import { openMetrics } from "../../src/telemetry/exposition.ts";

function measured(record: (metrics: Metrics) => void): ReturnType<Metrics["read"]> {
  const metrics = createMetrics();
  record(metrics);
  return metrics.read();
}

const gauge = (together: Together | undefined, value: number): ReturnType<Metrics["read"]> =>
  measured((metrics) => (metrics.gauge("x", "", together).with({ a: "1" }).value = value));

test("counters of the same labels are added up, whatever the order of their labels", (t) => {
  const one = measured((metrics) => {
    const calls = metrics.counter("calls_total", "Calls.");
    calls.with({ method: "a", status: "OK" }).value = 3;
    calls.with({ method: "b", status: "OK" }).value = 1;
  });
  const other = measured((metrics) => {
    metrics.counter("calls_total", "Calls.").with({ status: "OK", method: "a" }).value = 4;
    metrics.counter("others_total", "Others.").with().value = 5;
  });
  t.is(
    openMetrics.write(merge([one, other])),
    `# HELP calls Calls.
# TYPE calls counter
calls_total{method="a",status="OK"} 7
calls_total{method="b",status="OK"} 1
# HELP others Others.
# TYPE others counter
others_total 5
# EOF
`,
  );
});

test("histograms are added up by bucket, as if one process had observed it all", (t) => {
  const observe = (...seconds: number[]): ReturnType<Metrics["read"]> =>
    measured((metrics) => {
      const histogram = metrics.histogram("x_seconds", "", [0.125, 1]).with();
      for (const one of seconds) histogram.observe(one);
    });
  t.deepEqual(merge([observe(0.0625, 0.5), observe(2, 0.125), observe()]), observe(0.0625, 0.5, 2, 0.125));
});

const gauges: [Together | undefined, number][] = [
  [undefined, 7],
  ["sum", 7],
  ["least", 2],
  ["most", 5],
  ["first", 5],
];
for (const [together, value] of gauges) {
  test(`gauges make ${together === undefined ? "their sum by default" : `the ${together}`}`, (t) => {
    t.deepEqual(merge([gauge(together, 5), gauge(together, 2)]), gauge(together, value));
  });
}

test("what has ended leaves what it has counted, and no gauge", (t) => {
  const all = measured((metrics) => {
    metrics.counter("calls_total", "").with().value = 1;
    metrics.gauge("open", "").with().value = 2;
    metrics.histogram("x_seconds", "", [1]).with().observe(3);
  });
  t.deepEqual(
    counted(all).map(({ name }) => name),
    ["calls_total", "x_seconds"],
  );
});
