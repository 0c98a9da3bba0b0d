// The routers' own tables are the only table of routes: they give the metric label, the span name and the Allow header.
import { Router } from "@koa/router";
import test from "ava";
import type { Middleware } from "koa";
import { createMetrics } from "../../../src/platform/telemetry/metrics.ts";
import { httpTelemetry } from "../../../src/platform/telemetry/http.ts";
import type { Tracing } from "../../../src/platform/telemetry/tracing.ts";
import { collectTelemetry } from "../telemetry/collect.ts";
import { send } from "./request.ts";
import { serveHttp } from "./serve.ts";

const DURATION = "http_server_request_duration_seconds_count";

const ok: Middleware = (context) => {
  context.body = context["params"] as Record<string, string>;
};

/** Creates several routers: with nested parameters, a layer that is no route, a wildcard, a prefix, and a nested router. */
function routers(): Router[] {
  const orders = new Router();
  orders.use(async (context, next) => {
    context.set("X-Layer", "orders");
    await next();
  });
  orders.post("/orders", ok);
  orders.put("/orders/:id", ok);
  orders.delete("/orders/:id", ok);
  orders.get("/orders/:id/lines/:line", ok);

  const files = new Router({ strict: true, sensitive: true });
  files.get("/files/*name", ok);
  files.patch("/orders/:order", ok);
  // The first router takes it.
  files.put("/orders/:order", ok);

  const second = new Router({ prefix: "/v2" });
  second.get("/", ok);
  second.get("/things/:id", ok);

  const child = new Router();
  child.get("/:b", ok);
  const parent = new Router({ prefix: "/parents" });
  parent.use("/:a/children", child.routes());
  return [orders, files, second, parent];
}

const cases: { method?: string; path: string; status?: number; route?: string; allow?: string; params?: object }[] = [
  { path: "/orders/1/lines/2", route: "/orders/{id}/lines/{line}", params: { id: "1", line: "2" } },
  { method: "HEAD", path: "/orders/1/lines/2", route: "/orders/{id}/lines/{line}" },
  { method: "POST", path: "/orders/1/lines/2", status: 405, allow: "GET, HEAD" },
  { method: "POST", path: "/orders", route: "/orders", params: {} },
  { path: "/orders", status: 405, allow: "POST" },
  { method: "HEAD", path: "/orders", status: 405, allow: "POST" },
  { method: "OPTIONS", path: "/orders", status: 405, allow: "POST" },
  { method: "PUT", path: "/orders/1", route: "/orders/{id}", params: { id: "1" } },
  { method: "PATCH", path: "/orders/1", route: "/orders/{order}", params: { order: "1" } },
  { path: "/orders/1", status: 405, allow: "DELETE, PATCH, PUT" },
  { path: "/orders/1/lines", status: 404 },
  { path: "/files/a/b", route: "/files/{name}", params: { name: "a/b" } },
  { path: "/files/", status: 404 },
  { path: "/Files/a", status: 404 },
  { path: "/v2", route: "/v2", params: {} },
  { path: "/v2/things/7", route: "/v2/things/{id}", params: { id: "7" } },
  { method: "DELETE", path: "/v2/things/7", status: 405, allow: "GET, HEAD" },
  { path: "/things/7", status: 404 },
  { path: "/parents/1/children/2", route: "/parents/{a}/children/{b}", params: { a: "1", b: "2" } },
  { method: "PUT", path: "/parents/1/children/2", status: 405, allow: "GET, HEAD" },
  { path: "/nowhere", status: 404 },
  { method: "POST", path: "/nowhere", status: 404 },
];

for (const { method = "GET", path, status = 200, route, allow, params } of cases) {
  test(`${method} ${path} is ${status} with the label ${route ?? "_OTHER"}`, async (t) => {
    const { origin, logged, samples } = await serveHttp(t, { middleware: routers() });
    const { headers, body, ...answer } = await send(origin, path, { method });
    t.is(answer.status, status);
    t.is(headers.allow, allow);
    if (params) t.deepEqual(JSON.parse(body), params);
    const label = route ?? "_OTHER";
    t.like(await logged(({ msg }) => msg === "Request"), { method, path, route: label, status: String(status) });
    const counted = Object.entries(samples(DURATION)).filter(([, count]) => count > 0);
    t.is(counted.length, 1);
    t.regex(counted[0]![0], new RegExp(`http_route="${RegExp.escape(label)}",http_response_status_code="${status}"`));
  });
}

test("a middleware layer of a router is no route, and runs for the router's routes", async (t) => {
  const { origin } = await serveHttp(t, { middleware: routers() });
  t.is((await send(origin, "/orders", { method: "POST" })).headers["x-layer"], "orders");
  t.is((await send(origin, "/v2")).headers["x-layer"], undefined);
});

test("every route has its series from the start", async (t) => {
  const { samples } = await serveHttp(t, { middleware: routers() });
  const expected = [
    ["POST", "/orders"],
    ["PUT", "/orders/{id}"],
    ["DELETE", "/orders/{id}"],
    ["GET", "/orders/{id}/lines/{line}"],
    ["GET", "/files/{name}"],
    ["PATCH", "/orders/{order}"],
    ["PUT", "/orders/{order}"],
    ["GET", "/v2"],
    ["GET", "/v2/things/{id}"],
    ["GET", "/parents/{a}/children/{b}"],
  ];
  t.deepEqual(
    Object.entries(samples(DURATION)),
    expected.map(([method, route]) => [
      `http_request_method="${method}",http_route="${route}",http_response_status_code="200",network_protocol_version="1.1",url_scheme="http"`,
      0,
    ]),
  );
});

test("a span has the name of its route, or of its method alone", async (t) => {
  const names: (string | undefined)[] = [];
  const tracing: Tracing = {
    start: () => ({ traceparent: "", end: ({ name }) => void names.push(name) }),
    close: async () => {},
  };
  const { telemetry, readiness } = await collectTelemetry();
  const metrics = createMetrics();
  const http = httpTelemetry(
    {
      metrics,
      late: metrics.counter("late_total", "Late."),
      log: telemetry.log,
      accessLog: "off",
      tracing,
      readiness,
      forwarded: () => ({}),
    },
    "http",
  );
  const { origin } = await serveHttp(t, { middleware: routers(), telemetry: { ...telemetry, http } });
  for (const { method = "GET", path } of cases) await send(origin, path, { method });
  // The end of the last request is recorded before the next one is answered.
  await send(origin, "/after");
  t.deepEqual(
    names.slice(0, cases.length),
    cases.map(({ method = "GET", route }) => (route === undefined ? method : `${method} ${route}`)),
  );
});

for (const path of ["/items/%zz", "/items/%FF", "/items/%C0%AF", "/unknown/%"]) {
  test(`GET ${path} reaches no route, because it is not percent-encoded UTF-8`, async (t) => {
    const { origin } = await serveHttp(t);
    const { status, body } = await send(origin, path, { accept: "text/plain" });
    t.is(status, 400);
    t.true(body.startsWith(`Invalid path "${path}": expected percent-encoded UTF-8\n`), body);
  });
}

test("a route that is a regular expression has a line of JSON in the log", async (t) => {
  const router = new Router().get(/^\/rx\/(\d+)"?$/, (context) => (context.body = "x"));
  const { origin, logged } = await serveHttp(t, { middleware: [router] });
  t.is((await send(origin, "/rx/1")).status, 200);
  t.like(await logged(({ msg }) => msg === "Request"), { path: "/rx/1" });
});
