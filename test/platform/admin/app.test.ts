import test from "ava";
import type { ExecutionContext } from "ava";
import { createAdminApp } from "../../../src/platform/admin/app.ts";
import { createAdminServer } from "../../../src/platform/admin/server.ts";
import { formatAddress } from "../../../src/platform/config/address.ts";
import { listen } from "../../../src/platform/lifecycle/listen.ts";
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

test("/readyz is 200 while serving, and 503 before and after", async (t) => {
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

test("/livez is 503 when there is a problem, and says which", async (t) => {
  const { origin } = await serveAdmin(t, "The event loop was stuck for 6.0 s");
  t.like(await send(origin, "/livez"), { status: 503, body: "The event loop was stuck for 6.0 s\n" });
});

test("/ lists what there is", async (t) => {
  const { origin } = await serveAdmin(t);
  const { status, headers, body } = await send(origin, "/");
  t.is(status, 200);
  t.is(headers["content-type"], "text/html; charset=utf-8");
  for (const path of ["/livez", "/readyz", "/metrics", "/log-level"]) t.true(body.includes(`href="${path}"`));
});

test("nothing else is there, and nothing may be changed", async (t) => {
  const { origin } = await serveAdmin(t);
  t.is((await send(origin, "/Bob")).status, 404);
  t.is((await send(origin, "/livez", { method: "POST" })).status, 405);
  t.is((await send(origin, "/livez", { method: "HEAD" })).status, 200);
  t.is((await send(origin, "/livez")).headers["cache-control"], "no-store");
});

test("/metrics tells what Prometheus scrapes, in the format that it prefers", async (t) => {
  const { origin } = await serveAdmin(t);
  const text = await send(origin, "/metrics");
  t.is(text.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
  t.is(text.headers.vary, "Accept");
  t.regex(text.body, /^greeter_ready 1$/m);
  t.regex(text.body, /^greeter_build_info\{version="1.0.0",revision="",runtime="node v26.0.0"\} 1$/m);
  t.regex(text.body, /^process_cpu_seconds_total \d+\.\d+$/m);
  const accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.2";
  const open = await send(origin, "/metrics", { accept });
  t.is(open.headers["content-type"], "application/openmetrics-text; version=1.0.0; charset=utf-8");
  t.true(open.body.endsWith("# EOF\n"));
});

test("/log-level tells what is logged, and a PUT changes it", async (t) => {
  const { origin, telemetry } = await serveAdmin(t);
  t.like(await send(origin, "/log-level"), { status: 200, body: "debug\n" });
  t.like(await send(origin, "/log-level", { method: "PUT", body: "warn\n" }), { status: 200, body: "warn\n" });
  t.is(telemetry.log.level, "warn");
  t.like(await send(origin, "/log-level"), { status: 200, body: "warn\n" });
});

for (const body of ["", "loud", "x".repeat(100_000)]) {
  test(`/log-level refuses ${JSON.stringify(body.slice(0, 10))}, and stays as it is`, async (t) => {
    const { origin, telemetry } = await serveAdmin(t);
    const answer = await send(origin, "/log-level", { method: "PUT", body });
    t.is(answer.status, 400);
    t.regex(
      answer.body,
      /^Invalid log level ".*"…?: expected one of trace, debug, info, warn, error, fatal, silent\n$/,
    );
    t.is(telemetry.log.level, "debug");
  });
}
