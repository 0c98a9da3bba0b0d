import test from "ava";
import type { ExecutionContext } from "ava";
import { createAdminApp } from "../../../src/platform/admin/app.ts";
import { createAdminServer } from "../../../src/platform/admin/server.ts";
import { formatAddress } from "../../../src/platform/config/address.ts";
import { listen } from "../../../src/platform/lifecycle/listen.ts";
import { identity } from "../../../src/platform/identity.ts";
import { createReadiness } from "../../../src/platform/lifecycle/readiness.ts";
import type { Readiness } from "../../../src/platform/lifecycle/readiness.ts";
import { send } from "../http/request.ts";
import type { Telemetry } from "../../../src/platform/telemetry/telemetry.ts";
import { collectTelemetry } from "../telemetry/collect.ts";

async function serveAdmin(
  t: ExecutionContext,
  problem?: string,
): Promise<{ origin: string; readiness: Readiness; telemetry: Telemetry }> {
  const { telemetry } = await collectTelemetry();
  const readiness = createReadiness();
  const liveness = { problem: () => problem, stop: () => {} };
  const server = createAdminServer(createAdminApp({ readiness, liveness, telemetry }));
  const address = await listen(server.listener, { host: "127.0.0.1", port: 0 });
  t.teardown(() => server.cut());
  return { origin: `http://${formatAddress(address)}`, readiness, telemetry };
}

test("/readyz is 200 while the service serves, and 503 before and after", async (t) => {
  const { origin, readiness } = await serveAdmin(t);
  t.like(await send(origin, "/readyz"), { status: 503, body: "starting\n" });
  readiness.enter("serving");
  t.like(await send(origin, "/readyz"), { status: 200, body: "serving\n" });
  readiness.enter("draining");
  t.like(await send(origin, "/readyz"), { status: 503, body: "draining\n" });
});

test("/livez is 200 in every phase", async (t) => {
  const { origin, readiness } = await serveAdmin(t);
  for (const phase of ["starting", "serving", "draining"] as const) {
    readiness.enter(phase);
    t.like(await send(origin, "/livez"), { status: 200, body: "alive\n" });
  }
});

test("/livez is 503 if there is a problem, and names it", async (t) => {
  const { origin } = await serveAdmin(t, "The event loop was blocked for 6.0 s");
  t.like(await send(origin, "/livez"), { status: 503, body: "The event loop was blocked for 6.0 s\n" });
});

test("/ lists every path", async (t) => {
  const { origin } = await serveAdmin(t);
  const { status, headers, body } = await send(origin, "/");
  t.is(status, 200);
  t.is(headers["content-type"], "text/html; charset=utf-8");
  for (const path of ["/livez", "/readyz", "/metrics", "/log-level"]) t.true(body.includes(`href="${path}"`));
});

test("other paths are 404, and other methods 405", async (t) => {
  const { origin } = await serveAdmin(t);
  t.is((await send(origin, "/Bob")).status, 404);
  t.is((await send(origin, "/livez", { method: "POST" })).status, 405);
  t.is((await send(origin, "/livez", { method: "HEAD" })).status, 200);
  t.is((await send(origin, "/livez")).headers["cache-control"], "no-store");
});

test("/metrics exposes the metrics in the format that Prometheus prefers", async (t) => {
  const { origin } = await serveAdmin(t);
  const text = await send(origin, "/metrics");
  t.is(text.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
  t.is(text.headers.vary, "Accept");
  const lines = text.body.split("\n");
  t.true(lines.includes(`${identity.metricPrefix}ready 1`));
  const build = `${identity.metricPrefix}build_info{version="1.0.0",revision="",runtime="node v26.0.0"} 1`;
  t.true(lines.includes(build));
  t.regex(text.body, /^process_cpu_seconds_total \d+\.\d+$/m);
  const accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.2";
  const open = await send(origin, "/metrics", { accept });
  t.is(open.headers["content-type"], "application/openmetrics-text; version=1.0.0; charset=utf-8");
  t.true(open.body.endsWith("# EOF\n"));
});

test("/log-level is the minimum log level, and a PUT changes it", async (t) => {
  const { origin, telemetry } = await serveAdmin(t);
  t.like(await send(origin, "/log-level"), { status: 200, body: "debug\n" });
  t.like(await send(origin, "/log-level", { method: "PUT", body: "warn\n" }), { status: 200, body: "warn\n" });
  t.is(telemetry.log.level, "warn");
  t.like(await send(origin, "/log-level"), { status: 200, body: "warn\n" });
});

for (const body of ["", "loud", "x".repeat(100_000)]) {
  test(`/log-level rejects ${JSON.stringify(body.slice(0, 10))}, and does not change`, async (t) => {
    const { origin, telemetry } = await serveAdmin(t);
    const response = await send(origin, "/log-level", { method: "PUT", body });
    t.is(response.status, 400);
    t.regex(
      response.body,
      /^Invalid log level ".*"…?: expected one of trace, debug, info, warn, error, fatal, silent\n$/,
    );
    t.is(telemetry.log.level, "debug");
  });
}
