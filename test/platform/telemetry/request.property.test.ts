import assert from "node:assert/strict";
import { METHODS } from "node:http";
import { isIP } from "node:net";
import test from "ava";
import * as fc from "fast-check";
import { networks } from "../../../src/platform/config/parsers.ts";
import { createReadiness } from "../../../src/platform/lifecycle/readiness.ts";
import { readForwarded } from "../../../src/platform/telemetry/forwarded.ts";
import { grpcTelemetry } from "../../../src/platform/telemetry/grpc.ts";
import { httpTelemetry } from "../../../src/platform/telemetry/http.ts";
import { createLog } from "../../../src/platform/telemetry/log.ts";
import { createMetrics } from "../../../src/platform/telemetry/metrics.ts";
import type { RecorderDependencies } from "../../../src/platform/telemetry/request.ts";
import { character } from "../../arbitraries.ts";

/** Text that a caller may send, and that the log may contain. A parser would reject much of it. */
const text = fc.oneof(
  fc.string({ unit: character }),
  fc.string({
    unit: fc.constantFrom('"', "\\", "/", "a", "%", "{", "}", ",", "\n", "\u007F", "\u009B", "\u2028", "\u202E"),
  }),
  fc
    .tuple(fc.constantFrom("a", "\\", '"', "\n", "🐙", "\uD800", '","level":"fatal'), fc.nat(5000))
    .map(([part, count]) => part.repeat(count)),
  fc.string({ unit: "grapheme-ascii", minLength: 250, maxLength: 262 }),
);
const requestId = fc.oneof(text, fc.stringMatching(/^[\w.~+/=:@-]{1,130}$/), fc.constant("a\n"));
const traceparent = fc.oneof(text, fc.stringMatching(/^["\\a]?[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}(-.*)?$/));
const addresses = fc.oneof(
  text,
  fc.tuple(text, fc.oneof(fc.ipV4(), fc.ipV6(), text)).map((hops) => hops.join(",")),
);
const headers = fc.record(
  { "x-request-id": requestId, traceparent, "x-forwarded-for": addresses, "x-forwarded-proto": text },
  { requiredKeys: [] },
);

/** Creates the dependencies of a recorder, and returns them with a function that returns the new lines of the log. */
function createDependencies(): { dependencies: RecorderDependencies; lastLines: () => string } {
  let written = "";
  const log = createLog("debug", { write: (lines) => (written += lines) });
  const metrics = createMetrics();
  const late = metrics.counter("late_total", "Late.");
  const dependencies = {
    metrics,
    late,
    log,
    accessLog: "all",
    tracing: undefined,
    readiness: createReadiness(),
    forwarded: readForwarded(networks("::1", "--trust-proxy")),
  } as const;
  const lastLines = (): string => {
    log.flush();
    const lines = written;
    written = "";
    return lines;
  };
  return { dependencies, lastLines };
}

const socket = { remoteAddress: "::1", remotePort: 65_535 };
const known = /^(?:[\w.~+/=:@-]{1,128})$/;

/** Asserts that the log is one line of JSON with the expected fields only, and is not long. */
function assertLine(lines: string, path: string, given: { "x-request-id"?: string }, traced: boolean): void {
  assert.match(lines, /^[\x20-\x7e…]{1,1200}\n$/);
  const { time, level, msg, protocol, method, route, status, duration_ms, bytes, peer, ...line } = JSON.parse(
    lines,
  ) as Record<string, unknown>;
  assert.ok(
    [time, level, msg, protocol, method, status, duration_ms, bytes, peer].every((field) => field !== undefined),
  );
  const { path: shown, request_id: id, trace_id = "", span_id = "", client, ...others } = line;
  if (client !== undefined) assert.ok(isIP(client as string) > 0);
  assert.deepEqual(others, {});
  if (/^[\x20-\x7e]{0,256}$/.test(path)) assert.equal(shown, path);
  else assert.ok(String(shown).length <= 257);
  const own = given["x-request-id"];
  assert.equal(id === own, own !== undefined && known.test(own));
  assert.match(String(id), known);
  assert.match(`${trace_id as string}-${span_id as string}`, traced ? /^[\da-f]{32}-[\da-f]{16}$/ : /^-$/);
}

test("a request with any path, id and trace is one short line of JSON", (t) => {
  const { dependencies, lastLines } = createDependencies();
  const { startRequest } = httpTelemetry(dependencies, "http");
  // Node's parser accepts no other method.
  const method = fc.constantFrom(...METHODS);
  const property = fc.property(method, text, headers, (method, url, headers) => {
    const record = startRequest({ method, url, headers, httpVersion: "1.1", socket });
    record.end({ route: "/items/{id}", status: 200, bytes: 1 });
    assertLine(lastLines(), url, headers, record.traceparent !== undefined);
  });
  t.notThrows(() => fc.assert(property, { numRuns: 300 }));
});

test("a call of any unknown method is one short line of JSON", (t) => {
  const { dependencies, lastLines } = createDependencies();
  const { startRequest } = grpcTelemetry(dependencies);
  const property = fc.property(text, headers, (path, headers) => {
    const record = startRequest({ method: undefined, path, headers, socket });
    record.end({ status: "UNIMPLEMENTED", bytes: 0 });
    assertLine(lastLines(), path, headers, record.traceparent !== undefined);
  });
  t.notThrows(() => fc.assert(property, { numRuns: 200 }));
});
