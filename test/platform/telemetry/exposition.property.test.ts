import assert from "node:assert/strict";
import test from "ava";
import * as fc from "fast-check";
import { openMetrics, prometheusText } from "../../../src/platform/telemetry/exposition.ts";
import { character } from "../../arbitraries.ts";

/** Texts with the special characters of the exposition formats. */
const text = fc.oneof(
  fc.string({ unit: character }),
  fc.string({
    unit: fc.constantFrom("\\", '"', "\n", "\r", "n", "{", "}", ",", "=", "#", " ", "🐙", "\u0085", "\u2028"),
  }),
  fc.constantFrom("\\n", '\\"', '"} 1\nforged{a="', "# EOF\n"),
);

const labels = fc.record({ a: text, b_2: text }, { requiredKeys: [], noNullPrototype: true });
const value = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);

interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** Parses a line character by character, as Prometheus does (https://prometheus.io/docs/instrumenting/exposition_formats/). */
function readSample(line: string): Sample {
  let at = 0;
  const take = (expected: string): void => assert.equal(line[at++], expected);
  const word = (): string => {
    const start = at;
    while (/\w/.test(line[at] ?? "")) at++;
    return line.slice(start, at);
  };
  const quoted = (): string => {
    let text = "";
    for (take('"'); line[at] !== '"'; at++) {
      assert.ok(at < line.length);
      text += line[at] === "\\" ? { "\\": "\\", '"': '"', n: "\n" }[line[++at]!]! : line[at];
    }
    take('"');
    return text;
  };
  const name = word();
  const labels: Record<string, string> = {};
  if (line[at] === "{") {
    do {
      at++;
      const label = word();
      take("=");
      labels[label] = quoted();
    } while (line[at] === ",");
    take("}");
  }
  take(" ");
  const value = line.slice(at);
  assert.match(value, /^[-+.e\d]+$/);
  return { name, labels, value: Number(value) };
}

for (const [title, format] of Object.entries({ "Prometheus' text": prometheusText, OpenMetrics: openMetrics })) {
  test(`${title} survives parsing, with any labels and any help`, (t) => {
    const series = fc.array(fc.record({ labels, value }), { maxLength: 4 });
    const property = fc.property(text, series, (help, series) => {
      const written = format.write([{ name: "x_total", help, type: "counter", series }]);
      const [helpLine, typeLine, ...lines] = written
        .replace(/(# EOF\n)?$/, "")
        .slice(0, -1)
        .split("\n");
      assert.match(helpLine!, /^# HELP x(_total)? /);
      assert.match(typeLine!, /^# TYPE x(_total)? counter$/);
      assert.deepEqual(
        lines.map(readSample),
        series.map((one) => ({ name: "x_total", ...one })),
      );
    });
    t.notThrows(() => fc.assert(property, { numRuns: 200 }));
  });

  test(`${title} has every line of a histogram with its labels`, (t) => {
    const property = fc.property(labels, value, fc.nat(), (labels, value, count) => {
      const buckets: [number, number][] = [
        [0.5, 0],
        [1, count],
        [Infinity, count],
      ];
      const lines = format
        .write([{ name: "x", help: "", type: "histogram", series: [{ labels, value, buckets }] }])
        .split("\n");
      const samples = lines.filter((line) => /^[^#]/.test(line)).map(readSample);
      assert.deepEqual(
        samples.map(({ name, labels: { le, ...others } }) => [name, le?.replace(/\.0$/, ""), others]),
        [
          ["x_bucket", "0.5", labels],
          ["x_bucket", "1", labels],
          ["x_bucket", "+Inf", labels],
          ["x_sum", undefined, labels],
          ["x_count", undefined, labels],
        ],
      );
    });
    t.notThrows(() => fc.assert(property, { numRuns: 200 }));
  });
}
