import { connect } from "node:net";
import { text } from "node:stream/consumers";
import test from "ava";
import { versionRoutes } from "../../../src/platform/http/version.ts";
import { createItems } from "../../fixtures/items.ts";
import { itemRoutes } from "../../fixtures/routes.ts";
import { send } from "../http/request.ts";
import { serveHttp } from "../http/serve.ts";

const DURATION = "http_server_request_duration_seconds_count";
const uuid = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

const series = (method: string, route: string, status: string, error?: string): string =>
  `http_request_method="${method}",http_route="${route}",http_response_status_code="${status}",` +
  `network_protocol_version="1.1",url_scheme="http"${error === undefined ? "" : `,error_type="${error}"`}`;

test("a request is a line of the log when it ends", async (t) => {
  const { origin, logged } = await serveHttp(t);
  const start = performance.now();
  const options = { accept: "text/plain", headers: { "X-Request-Id": "order-66" } };
  const { body } = await send(origin, "/items/Bob?x=1", options);
  const { time, duration_ms, peer, ...line } = await logged(({ msg }) => msg === "Request");
  t.deepEqual(line, {
    level: "info",
    protocol: "http",
    method: "GET",
    route: "/items/{id}",
    path: "/items/Bob?x=1",
    status: "200",
    bytes: body.length,
    request_id: "order-66",
    msg: "Request",
  });
  t.true(Number(duration_ms) > 0 && Number(duration_ms) <= performance.now() - start);
  t.regex(String(peer), /^127\.0\.0\.1:\d+$/);
  t.false(Number.isNaN(Date.parse(String(time))));
});

const results = [
  { path: "/", route: "/", status: "200", level: "info" },
  { path: "//", route: "_OTHER", status: "404", level: "warn" },
  { path: "/version", route: "/version", status: "200", level: "info" },
  { path: "/items/Bob", method: "HEAD", route: "/items/{id}", status: "200", level: "info" },
  { path: "/items", method: "POST", route: "/items", status: "201", level: "info" },
  { path: "/items/fail%20INVALID_ARGUMENT", route: "/items/{id}", status: "400", level: "warn" },
  { path: "*", route: "_OTHER", status: "400", level: "warn" },
  { path: "/items/Bob", method: "POST", route: "_OTHER", status: "405", level: "warn" },
  { path: "/items/Bob", method: "PROPFIND", label: "_OTHER", route: "_OTHER", status: "405", level: "warn" },
];
for (const { path, method = "GET", label = method, route, status, level } of results) {
  test(`${method} ${path} is counted and logged as ${route} ${status}`, async (t) => {
    const { origin, logged, samples } = await serveHttp(t);
    await send(origin, path, { method });
    t.like(await logged(({ msg }) => msg === "Request"), { method, route, path, status, level });
    t.is(samples(DURATION)[series(label, route, status)], 1);
    t.deepEqual(
      Object.values(samples(DURATION)).reduce((sum, count) => sum + count, 0),
      1,
    );
  });
}

test("the error class is set for failures of the service only", async (t) => {
  const { origin, logged, samples } = await serveHttp(t);
  await send(origin, "/items/fail%20UNAVAILABLE");
  await send(origin, "/items/crash");
  await send(origin, "/items/fail%20NOT_FOUND");
  for (const status of ["503", "500", "404"]) {
    t.like(await logged((line) => line["status"] === status), { level: "warn" });
  }
  t.is(samples(DURATION)[series("GET", "/items/{id}", "503", "503")], 1);
  t.is(samples(DURATION)[series("GET", "/items/{id}", "500", "500")], 1);
  t.is(samples(DURATION)[series("GET", "/items/{id}", "404")], 1);
});

test("an internal failure is logged with its cause, and with the request id that the caller gets", async (t) => {
  const { origin, logged } = await serveHttp(t, {
    middleware: [versionRoutes(async () => Promise.reject(new Error("secret")))],
  });
  const { body, headers } = await send(origin, "/version", { accept: "application/json" });
  const { request_id: id } = JSON.parse(body) as { request_id: string };
  t.is(headers["x-request-id"], id);
  const failure = await logged(({ msg }) => msg === "Request failed");
  t.like(failure, { level: "error", request_id: id, request: "GET /version" });
  t.regex(JSON.stringify(failure["err"]), /secret/);
  t.false(body.includes("secret"));
  t.like(await logged(({ msg }) => msg === "Request"), { request_id: id });
});

for (const given of ["", "a b", "a\tb", "x".repeat(129), "<b>", "a,b", "ä"]) {
  test(`a malformed request id (${JSON.stringify(given.slice(0, 10))}) is replaced`, async (t) => {
    const { origin } = await serveHttp(t);
    const { headers } = await send(origin, "/", { headers: { "X-Request-Id": given } });
    t.regex(String(headers["x-request-id"]), uuid);
  });
}

test("a path can neither forge a line of the log nor fill the log", async (t) => {
  const { port, logged } = await serveHttp(t);
  const socket = connect(port, "127.0.0.1");
  const path = `/%0A{"level":"fatal"}${"x".repeat(1000)}`;
  socket.end(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
  await text(socket);
  const { path: shown } = await logged(({ msg }) => msg === "Request");
  t.true(String(shown).startsWith('/%0A{"level":"fatal"}xxx'));
  t.is(String(shown).length, 257);
});

test("a request that the parser rejects is counted and logged, and has an id", async (t) => {
  const { port, logged, samples } = await serveHttp(t);
  const socket = connect(port, "127.0.0.1");
  socket.write("nonsense\r\n\r\n");
  const response = await text(socket);
  const line = await logged(({ msg }) => msg === "Request");
  t.like(line, { method: "_OTHER", route: "_OTHER", status: "400", level: "warn" });
  t.true(response.includes(`X-Request-Id: ${String(line["request_id"])}\r\n`));
  t.is(samples(DURATION)[series("_OTHER", "_OTHER", "400")], 1);
});

test("a request whose client leaves before the response is CANCELLED, and no error", async (t) => {
  const started = Promise.withResolvers<void>();
  const left = Promise.withResolvers<string>();
  const get = (): Promise<string> => {
    started.resolve();
    return left.promise;
  };
  const { port, logged, samples } = await serveHttp(t, { middleware: [itemRoutes({ ...createItems(), get })] });
  const socket = connect(port, "127.0.0.1");
  socket.write("GET /items/1 HTTP/1.1\r\nHost: x\r\n\r\n");
  await started.promise;
  const active = 'http_request_method="GET",url_scheme="http"';
  t.is(samples("http_server_active_requests")[active], 1);
  socket.destroy();
  t.like(await logged(({ msg }) => msg === "Request"), { status: "CANCELLED", level: "info", bytes: 0 });
  const labels = 'http_request_method="GET",http_route="/items/{id}",network_protocol_version="1.1",url_scheme="http"';
  t.is(samples(DURATION)[labels], 1);
  t.is(samples("http_server_active_requests")[active], 0);
  left.resolve("too late");
});
