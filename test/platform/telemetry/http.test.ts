import { connect } from "node:net";
import { text } from "node:stream/consumers";
import test from "ava";
import { UnavailableError } from "../../../src/greeter/greeter.ts";
import { serveHttp } from "../http/serve.ts";
import { send } from "../http/request.ts";

const DURATION = "http_server_request_duration_seconds_count";
const made = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

const series = (method: string, route: string, status: string, error?: string): string =>
  `http_request_method="${method}",http_route="${route}",http_response_status_code="${status}",` +
  `network_protocol_version="1.1",url_scheme="http"${error === undefined ? "" : `,error_type="${error}"`}`;

test("a request is a line of the log when it ends", async (t) => {
  const { origin, logged } = await serveHttp(t);
  const { body } = await send(origin, "/Bob?x=1", { accept: "text/plain", headers: { "X-Request-Id": "order-66" } });
  const { time, duration_ms, peer, ...line } = await logged(({ msg }) => msg === "Request");
  t.deepEqual(line, {
    level: "info",
    protocol: "http",
    method: "GET",
    route: "/{name}",
    path: "/Bob?x=1",
    status: "200",
    bytes: body.length,
    request_id: "order-66",
    msg: "Request",
  });
  t.true(Number(duration_ms) > 0 && Number(duration_ms) < 60_000);
  t.regex(String(peer), /^127\.0\.0\.1:\d+$/);
  t.false(Number.isNaN(Date.parse(String(time))));
});

const outcomes = [
  { path: "/", route: "/", status: "200", level: "info" },
  { path: "//", route: "/{name}", status: "200", level: "info" },
  { path: "/version", route: "/version", status: "200", level: "info" },
  { path: "/Bob", method: "HEAD", route: "/{name}", status: "200", level: "info" },
  { path: "/?name=Bob", route: "/", status: "303", level: "info" },
  { path: "/%zz", route: "/{name}", status: "400", level: "warn" },
  { path: "*", route: "_OTHER", status: "400", level: "warn" },
  { path: "/Bob", method: "POST", route: "_OTHER", status: "405", level: "warn" },
  { path: "/Bob", method: "PROPFIND", label: "_OTHER", route: "_OTHER", status: "405", level: "warn" },
];
for (const { path, method = "GET", label = method, route, status, level } of outcomes) {
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

test("only what is the service's own fault is an error", async (t) => {
  const { origin, logged, samples } = await serveHttp(t, {
    greeter: {
      greet: async () => Promise.reject(new UnavailableError("Busy")),
      version: async () => Promise.reject(new Error("secret")),
    },
  });
  await send(origin, "/Bob");
  await send(origin, "/version");
  t.like(await logged(({ status }) => status === "503"), { level: "warn" });
  t.like(await logged(({ status }) => status === "500"), { level: "warn" });
  t.is(samples(DURATION)[series("GET", "/{name}", "503", "503")], 1);
  t.is(samples(DURATION)[series("GET", "/version", "500", "500")], 1);
});

test("what failed inside is logged with its cause, under the id that the caller got", async (t) => {
  const { origin, logged } = await serveHttp(t, {
    greeter: { version: async () => Promise.reject(new Error("secret")) },
  });
  const { body, headers } = await send(origin, "/version", { accept: "application/json" });
  const { request_id: id } = JSON.parse(body) as { request_id: string };
  t.is(headers["x-request-id"], id);
  t.like(await logged(({ msg }) => msg === "Request failed"), {
    level: "error",
    request_id: id,
    request: "GET /version",
  });
  t.like(await logged(({ msg }) => msg === "Request"), { request_id: id });
});

for (const given of ["", "a b", "a\tb", "x".repeat(129), "<b>", "a,b", "ä"]) {
  test(`an ill-formed request id (${JSON.stringify(given.slice(0, 10))}) is replaced`, async (t) => {
    const { origin } = await serveHttp(t);
    const { headers } = await send(origin, "/", { headers: { "X-Request-Id": given } });
    t.regex(String(headers["x-request-id"]), made);
  });
}

test("a caller can't forge a line, nor fill the log", async (t) => {
  const { port, logged } = await serveHttp(t);
  const socket = connect(port, "127.0.0.1");
  const path = `/%0A{"level":"fatal"}${"x".repeat(1000)}`;
  socket.end(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
  await text(socket);
  const { path: shown } = await logged(({ msg }) => msg === "Request");
  t.true(String(shown).startsWith('/%0A{"level":"fatal"}xxx'));
  t.is(String(shown).length, 257);
});

test("a request that the parser refuses is counted and logged, and has an id", async (t) => {
  const { port, logged, samples } = await serveHttp(t);
  const socket = connect(port, "127.0.0.1");
  socket.write("nonsense\r\n\r\n");
  const answer = await text(socket);
  const line = await logged(({ msg }) => msg === "Request");
  t.like(line, { method: "_OTHER", route: "_OTHER", status: "400", level: "warn" });
  t.true(answer.includes(`X-Request-Id: ${String(line["request_id"])}\r\n`));
  t.is(samples(DURATION)[series("_OTHER", "_OTHER", "400")], 1);
});

test("a caller who goes away before the answer is told as such, and is no error", async (t) => {
  const started = Promise.withResolvers<void>();
  const left = Promise.withResolvers<string>();
  const greet = (): Promise<string> => {
    started.resolve();
    return left.promise;
  };
  const { port, logged, samples } = await serveHttp(t, { greeter: { greet } });
  const socket = connect(port, "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await started.promise;
  const active = 'http_request_method="GET",url_scheme="http"';
  t.is(samples("http_server_active_requests")[active], 1);
  socket.destroy();
  t.like(await logged(({ msg }) => msg === "Request"), { status: "CANCELLED", level: "info", bytes: 0 });
  const labels = 'http_request_method="GET",http_route="/",network_protocol_version="1.1",url_scheme="http"';
  t.is(samples(DURATION)[labels], 1);
  t.is(samples("http_server_active_requests")[active], 0);
  left.resolve("too late");
});
