import { connect } from "node:net";
import { text } from "node:stream/consumers";
import test from "ava";
import { headIsGetWithoutBody, isNotAllowed, otherMethods } from "./methods.ts";
import { send, shownText, withoutRequestId } from "./request.ts";
import type { Answer } from "./request.ts";
import { serveHttp } from "./serve.ts";

for (const path of [
  "http://elsewhere.example/items/Ada?x=1",
  "HTTPS://elsewhere.example/items/Ada",
  "/items/Ada#Bob",
  "/items/Ada?x=1",
]) {
  test(`GET ${path} is routed by its path`, async (t) => {
    const { origin } = await serveHttp(t);
    t.like(await send(origin, path, { accept: "text/plain" }), { status: 200, body: "Item Ada\n" });
  });
}

for (const path of [
  "http://[/",
  "http://[::bad/",
  "http://x:abc/",
  "https://x:-1/A",
  "http://",
  "http://a%zz/",
  "*",
  "ftp://x/",
]) {
  test(`GET ${path} is a bad request, and the next one is answered`, async (t) => {
    const { origin, telemetry, lines } = await serveHttp(t);
    const { status, body } = await send(origin, path, { accept: "text/plain" });
    t.is(status, 400);
    t.is(withoutRequestId(body), `Invalid request target "${path}": expected a path\n`);
    t.is((await send(origin, "/")).status, 200);
    telemetry.log.flush();
    t.false(lines.some(({ msg }) => msg === "Request failed"));
  });
}

test("a path that no route has is 404", async (t) => {
  const { origin } = await serveHttp(t);
  const { status, headers, body } = await send(origin, "/nowhere", { accept: "text/plain" });
  t.is(status, 404);
  t.is(headers.allow, undefined);
  t.is(withoutRequestId(body), "Unknown path\n");
});

const preferences = [
  { accept: undefined, type: "text/html; charset=utf-8" },
  { accept: "*/*", type: "text/html; charset=utf-8" },
  { accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", type: "text/html; charset=utf-8" },
  { accept: "application/json", type: "application/json; charset=utf-8" },
  { accept: "text/plain", type: "text/plain; charset=utf-8" },
  { accept: "text/html;q=0.5, application/json", type: "application/json; charset=utf-8" },
  { accept: "image/png", type: "text/html; charset=utf-8" },
];
for (const { accept, type } of preferences) {
  test(`Accept: ${accept} gets ${type}`, async (t) => {
    const { origin } = await serveHttp(t);
    const { headers } = await send(origin, "/", accept === undefined ? {} : { accept });
    t.is(headers["content-type"], type);
    t.is(headers.vary, "Accept");
  });
}

for (const path of ["/", "/items/1", "/version", "/items/fail%20NOT_FOUND", "/nowhere"]) {
  test(`HEAD ${path} has the headers of GET, and no body`, async (t) => {
    const { origin } = await serveHttp(t);
    await headIsGetWithoutBody(t, origin, path);
  });
}

for (const method of otherMethods) {
  test(`${method} is not allowed, and the response says what is`, async (t) => {
    const { origin } = await serveHttp(t);
    for (const path of ["/", "/items/1", "/version"]) await isNotAllowed(t, origin, path, method);
  });
}

test("errors have the form that the request prefers", async (t) => {
  const { origin } = await serveHttp(t);
  const ask = (accept?: string): Promise<Answer> =>
    send(origin, "/items/fail%20NOT_FOUND", { headers: { "X-Request-Id": "order-66" }, ...(accept && { accept }) });
  const html = await ask();
  t.is(html.headers["content-type"], "text/html; charset=utf-8");
  t.true(shownText(html.body).includes("As asked\nRequest id: order-66"));
  const json = await ask("application/json");
  t.is(json.headers["content-type"], "application/problem+json");
  t.deepEqual((await ask("application/problem+json")).body, json.body);
  t.deepEqual(JSON.parse(json.body), { title: "Not Found", status: 404, detail: "As asked", request_id: "order-66" });
  const text = await ask("text/plain");
  t.is(text.headers["content-type"], "text/plain; charset=utf-8");
  t.is(text.body, "As asked\nRequest id: order-66\n");
  for (const { headers } of [html, json, text]) t.is(headers.vary, "Accept");
});

test("every response has the security headers", async (t) => {
  const { origin } = await serveHttp(t);
  for (const [path, method] of [
    ["/"],
    ["/version"],
    ["/items/fail%20NOT_FOUND"],
    ["/items/crash"],
    ["/nowhere"],
    ["/", "POST"],
    ["/items", "POST"],
  ] as const) {
    const { headers } = await send(origin, path, { ...(method && { method }) });
    t.regex(
      headers["content-security-policy"] as string,
      /^default-src 'none'; style-src 'sha256-[^']+'; img-src data:;/,
    );
    t.like(headers, {
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
      "cache-control": "no-store",
    });
  }
});

test("a client that leaves in the middle of its request causes no failure", async (t) => {
  const { origin, port, telemetry, lines } = await serveHttp(t);
  const socket = connect(port, "127.0.0.1");
  socket.end("GET / HTTP/1.1\r\nHost: x\r\n");
  await text(socket);
  t.is((await send(origin, "/")).status, 200);
  telemetry.log.flush();
  t.false(lines.some(({ msg }) => msg === "Request failed"));
});

const rejected = [
  {
    title: "a path that is not percent-encoded",
    bytes: "GET /José HTTP/1.1\r\nHost: x\r\n\r\n",
    answer: /^HTTP\/1\.1 400 Bad Request\r\n[^]*expected a percent-encoded path and query\nRequest id: \S+\n$/,
  },
  {
    title: "no host",
    bytes: "GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
    answer: /^HTTP\/1\.1 400 Bad Request\r\n[^]*Missing Host header/,
  },
  {
    title: "the method CONNECT",
    bytes: "CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
    answer: /^HTTP\/1\.1 405 Method Not Allowed\r\n[^]*Allow: GET, HEAD\r\n[^]*Cannot CONNECT here/,
  },
  {
    title: "bytes that are not HTTP",
    bytes: "\x16\x03\x01\x02",
    answer: /^HTTP\/1\.1 400 Bad Request\r\n[^]*Malformed HTTP request: .+\nRequest id: \S+\n$/,
  },
  {
    title: "headers beyond the limit",
    bytes: `GET / HTTP/1.1\r\nHost: x\r\nX: ${"x".repeat(70_000)}\r\n\r\n`,
    answer: /^HTTP\/1\.1 431 Request Header Fields Too Large\r\n/,
  },
];
for (const { title, bytes, answer } of rejected) {
  test(`a request with ${title} is rejected with the reason`, async (t) => {
    const { origin, port } = await serveHttp(t);
    const socket = connect(port, "127.0.0.1");
    socket.write(bytes);
    const answered = await text(socket);
    t.regex(answered, answer);
    t.regex(answered, /\r\nContent-Security-Policy: default-src 'none';[^]*\r\nX-Content-Type-Options: nosniff\r\n/);
    t.is((await send(origin, "/")).status, 200);
  });
}

test("an unknown expectation does not fail a request", async (t) => {
  const { port } = await serveHttp(t);
  const socket = connect(port, "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nHost: x\r\nExpect: foo\r\nConnection: close\r\n\r\n");
  t.regex(await text(socket), /^HTTP\/1\.1 200 OK\r\n/);
});

test("a request whose error cannot be rendered is a bare 500", async (t) => {
  const trap = (): never => {
    throw new Error("The status cannot be read");
  };
  const { origin, logged } = await serveHttp(t, {
    middleware: [
      () => {
        throw Object.defineProperty(new Error("secret"), "status", { get: trap });
      },
    ],
  });
  t.like(await send(origin, "/"), { status: 500, body: "" });
  t.like(await logged(({ msg }) => msg === "Error handling failed"), { err: { message: "The status cannot be read" } });
});

test("a route may read the body of its request", async (t) => {
  const { origin } = await serveHttp(t);
  const { status, headers, body } = await send(origin, "/items", { method: "POST", body: "Ada" });
  t.is(status, 201);
  t.is(headers["content-type"], "application/json; charset=utf-8");
  t.deepEqual(JSON.parse(body), { id: "Ada", count: 1 });
});
