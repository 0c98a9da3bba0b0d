import test from "ava";
import { spanIdOf, traceContext, traceIdOf } from "../../../src/platform/telemetry/trace-context.ts";

const trace = "0af7651916cd43dd8448eb211c80319c";
const span = "b7ad6b7169203331";

for (const traceparent of [
  `00-${trace}-${span}-01`,
  `00-${trace}-${span}-00`,
  `cc-${trace}-${span}-01-of-a-later-version`,
]) {
  test(`${traceparent} is a valid trace context`, (t) => {
    t.deepEqual(traceContext(traceparent), { traceparent });
    t.deepEqual(traceContext(traceparent, "a=1"), { traceparent, tracestate: "a=1" });
    t.is(traceIdOf(traceparent), trace);
    t.is(spanIdOf(traceparent), span);
  });
}

for (const traceparent of [
  undefined,
  "",
  "00",
  ["00"],
  `00-${trace}-${span}`,
  `00-${trace}-${span}-0`,
  `00-${trace}-${span}-01-`,
  `00-${trace}-${span}-01x`,
  `ff-${trace}-${span}-01`,
  `00-${trace.toUpperCase()}-${span}-01`,
  `00-${"0".repeat(32)}-${span}-01`,
  `00-${trace}-${"0".repeat(16)}-01`,
  `00-${trace}-${span}-01, 00-${trace}-${span}-01`,
  ` 00-${trace}-${span}-01`,
]) {
  test(`${JSON.stringify(traceparent)} is no valid trace context`, (t) => {
    t.is(traceContext(traceparent), undefined);
  });
}

test("a tracestate that gRPC's metadata cannot carry is ignored", (t) => {
  const traceparent = `00-${trace}-${span}-01`;
  t.deepEqual(traceContext(traceparent, "vendor=1"), { traceparent, tracestate: "vendor=1" });
  t.deepEqual(traceContext(traceparent, "vendor=\u00e9"), { traceparent });
});
