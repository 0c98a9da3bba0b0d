import { connect } from "node:net";
import { text } from "node:stream/consumers";
import test from "ava";
import { formatBuildInfo } from "../../../src/platform/build-info.ts";
import { createGreeter, DeadlineExceededError, UnavailableError } from "../../../src/greeter/greeter.ts";
import { createApp } from "../../../src/platform/http/app.ts";
import { hostileNames } from "../../hostile-names.ts";
import { buildInfo } from "../../sample-build-info.ts";
import { send, shownText, withoutRequestId } from "./request.ts";
import type { Answer } from "./request.ts";
import { serveHttp } from "./serve.ts";

const greetings = [
  { path: "/", greeting: "Hello, Linky 🐙!" },
  { path: "//", greeting: "Hello, Linky 🐙!" },
  { path: "/Bob", greeting: "Hello, Bob!" },
  { path: "/Bob?name=Ada", greeting: "Hello, Bob!" },
  { path: "/?lang=en&names=x", greeting: "Hello, Linky 🐙!" },
  { path: "/Chainguard%20Customer", greeting: "Hello, Chainguard Customer!" },
  { path: "/a/b/", greeting: "Hello, a/b!" },
  { path: "//a//b//", greeting: "Hello, a//b!" },
  { path: "/%2Fa%2Fb%2f", greeting: "Hello, a/b!" },
  { path: "/%22q%22&%27", greeting: `Hello, "q"&'!` },
  { path: "/%3Cb%3E", greeting: "Hello, <b>!" },
  { path: "/a+b", greeting: "Hello, a+b!" },
  { path: "/a;b", greeting: "Hello, a;b!" },
  { path: "/Version", greeting: "Hello, Version!" },
  { path: "/version/", greeting: "Hello, version!" },
  { path: "/metrics", greeting: "Hello, metrics!" },
  { path: "/constructor", greeting: "Hello, constructor!" },
  { path: "/%2F..", greeting: "Hello, ..!" },
  { path: "http://elsewhere.example/Bob?name=Ada", greeting: "Hello, Bob!" },
  { path: "HTTPS://elsewhere.example", greeting: "Hello, Linky 🐙!" },
  { path: "/Bob#Ada", greeting: "Hello, Bob!" },
  { path: "//u@a:b#x", greeting: "Hello, u@a:b!" },
  { path: "/!", greeting: "Hello, !!" },
  { path: "/Jos%C3%A9", greeting: "Hello, José!" },
];
for (const { path, greeting } of greetings) {
  test(`GET ${path} reads ${greeting}`, async (t) => {
    const { origin } = await serveHttp(t);
    const { status, headers, body } = await send(origin, path);
    t.is(status, 200);
    t.is(headers["content-type"], "text/html; charset=utf-8");
    t.true(shownText(body).includes(greeting), body);
    t.is((await send(origin, path, { accept: "text/plain" })).body, `${greeting}\n`);
  });
}

for (const { title, name, valid } of hostileNames) {
  test(`a name with ${title} is ${valid ? "greeted, and never markup" : "a bad request"}`, async (t) => {
    const { origin } = await serveHttp(t);
    const path = `/${encodeURIComponent(name)}`;
    const html = await send(origin, path);
    const json = await send(origin, path, { accept: "application/json" });
    const text = await send(origin, path, { accept: "text/plain" });
    if (valid) {
      t.true(shownText(html.body).includes(`Hello, ${name}!`));
      t.deepEqual(JSON.parse(json.body), { message: `Hello, ${name}!` });
      t.is(text.body, `Hello, ${name}!\n`);
    } else {
      for (const { status, body } of [html, json, text]) {
        t.is(status, 400);
        t.regex(body, /Invalid name/);
      }
    }
    t.false(html.body.includes("<script>") || html.body.includes(`"'&\``));
  });
}

for (const path of ["/%zz", "/%", "/%C0%AF", "/%E0%80%AF", "/%ED%A0%80", "/%ff", "/?name=%zz", "/?name=%FF"]) {
  test(`GET ${path} is a bad request, for its bytes are not UTF-8`, async (t) => {
    const { origin } = await serveHttp(t);
    const { status, body } = await send(origin, path, { accept: "text/plain" });
    t.is(status, 400);
    t.regex(body, /^Invalid (path|query) ".*": expected percent-encoded UTF-8\nRequest id: \S+\n$/);
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
    const { origin, reported } = await serveHttp(t);
    const { status, body } = await send(origin, path, { accept: "text/plain" });
    t.is(status, 400);
    t.is(withoutRequestId(body), `Invalid request target "${path}": expected a path\n`);
    t.is((await send(origin, "/")).status, 200);
    t.deepEqual(reported, []);
  });
}

const redirects = [
  { query: "name=Ada", location: "/Ada" },
  { query: "name=Ada+Lovelace", location: "/Ada%20Lovelace" },
  { query: "name=Zo%C3%AB&x=1", location: "/Zo%C3%AB" },
  { query: "x=1&name=Ada&name=Bob", location: "/Ada" },
  { query: "name=", location: "/" },
  { query: "name", location: "/" },
  { query: "name=version", location: "/version/" },
  { query: "name=.", location: "/%2F." },
  { query: "name=..", location: "/%2F.." },
  { query: "name=/Ada/", location: "/Ada" },
  { query: "name=/", location: "/" },
  { query: "name=//evil.example", location: "/evil.example" },
  { query: "name=%5Cevil.example", location: "/%5Cevil.example" },
];
for (const { query, location } of redirects) {
  test(`the form's ?${query} leads to ${location}`, async (t) => {
    const { origin } = await serveHttp(t);
    const { status, headers } = await send(origin, `/?${query}`);
    t.is(status, 303);
    t.is(headers.location, location);
    t.is(headers.vary, "Accept");
  });
}

test("the form's name is checked before it leads anywhere", async (t) => {
  const { origin } = await serveHttp(t);
  const { status, body } = await send(origin, "/?name=a%0Ab", { accept: "text/plain" });
  t.is(status, 400);
  t.is(withoutRequestId(body), 'Invalid name "a\\nb": expected no control character, got U+000A\n');
});

test("the operator's greeting is escaped too", async (t) => {
  const { origin } = await serveHttp(t, { greeting: "<i>Hi</i>" });
  const { body } = await send(origin, "/Bob");
  t.false(body.includes("<i>"));
  t.true(shownText(body).includes("<i>Hi</i>, Bob!"));
});

test("the name alone stands in a <bdi>, even where it looks like the end", async (t) => {
  const { origin } = await serveHttp(t);
  t.regex((await send(origin, "/!")).body, /<h1>Hello, <bdi>!<\/bdi>!<\/h1>/);
});

test("the name stands in a <bdi>, even where the greeting repeats it", async (t) => {
  const { origin } = await serveHttp(t, { greeting: "Bob" });
  t.regex((await send(origin, "/Bob")).body, /<h1>Bob, <bdi>Bob<\/bdi>!<\/h1>/);
});

test("GET /version tells the build information, escaped in a <pre>, as text and as JSON", async (t) => {
  const { origin } = await serveHttp(t);
  const html = await send(origin, "/version?x=1");
  t.is(html.status, 200);
  t.regex(html.body, /<pre>runtime\tnode v26\.0\.0\n/);
  t.true(html.body.includes("dep\t&lt;dep&gt;\t2.0.0\tsha512-x"));
  t.is((await send(origin, "/version", { accept: "text/plain" })).body, formatBuildInfo(buildInfo));
  const json = await send(origin, "/version", { accept: "application/json" });
  t.deepEqual(JSON.parse(json.body), {
    runtime: "node v26.0.0",
    main: { path: "greeter", version: "1.0.0" },
    dependencies: [{ path: "<dep>", version: "2.0.0", sum: "sha512-x" }],
    settings: { platform: "linux" },
  });
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

for (const path of ["/", "/Bob", "/version", "/%zz", "/?name=Ada"]) {
  test(`HEAD ${path} answers as GET does, without the body`, async (t) => {
    const { origin } = await serveHttp(t);
    const head = await send(origin, path, { method: "HEAD" });
    const full = await send(origin, path);
    t.is(head.body, "");
    t.is(head.status, full.status);
    for (const { headers } of [head, full]) {
      delete headers.date;
      delete headers["x-request-id"];
    }
    t.deepEqual(head.headers, full.headers);
  });
}

for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "TRACE"]) {
  test(`${method} is not allowed, and the answer tells what is`, async (t) => {
    const { origin } = await serveHttp(t);
    for (const path of ["/", "/Bob", "/version"]) {
      const { status, headers, body } = await send(origin, path, { method, accept: "text/plain" });
      t.is(status, 405);
      t.is(headers.allow, "GET, HEAD");
      t.is(withoutRequestId(body), `Cannot ${method} here: expected GET or HEAD\n`);
    }
  });
}

test("errors come in the form that was asked for", async (t) => {
  const { origin } = await serveHttp(t);
  const detail = 'Invalid path "/%zz": expected percent-encoded UTF-8';
  const ask = (accept?: string): Promise<Answer> =>
    send(origin, "/%zz", { headers: { "X-Request-Id": "order-66" }, ...(accept && { accept }) });
  const html = await ask();
  t.is(html.headers["content-type"], "text/html; charset=utf-8");
  t.true(shownText(html.body).includes(`${detail}\nRequest id: order-66`));
  const json = await ask("application/json");
  t.is(json.headers["content-type"], "application/problem+json");
  t.deepEqual((await ask("application/problem+json")).body, json.body);
  t.deepEqual(JSON.parse(json.body), { title: "Bad Request", status: 400, detail, request_id: "order-66" });
  const text = await ask("text/plain");
  t.is(text.headers["content-type"], "text/plain; charset=utf-8");
  t.is(text.body, `${detail}\nRequest id: order-66\n`);
});

test("what is unavailable is 503, and says when to come back", async (t) => {
  const { origin } = await serveHttp(t, {
    greeter: { greet: async () => Promise.reject(new UnavailableError("Draining")) },
  });
  const { status, headers, body } = await send(origin, "/", { accept: "text/plain" });
  t.is(status, 503);
  t.is(headers["retry-after"], "1");
  t.is(withoutRequestId(body), "Draining\n");
});

test("a passed deadline is 504", async (t) => {
  const { origin } = await serveHttp(t, {
    greeter: { greet: async () => Promise.reject(new DeadlineExceededError("Too late")) },
  });
  t.is((await send(origin, "/")).status, 504);
});

const unexpected = {
  "an Error": new Error("secret"),
  "a string": "secret",
  undefined,
  "an Error with a status": Object.assign(new Error("secret"), { status: 400, expose: true }),
};
for (const [what, error] of Object.entries(unexpected)) {
  test(`an unexpected error (${what}) is 500, keeps its detail from the caller, and is reported`, async (t) => {
    const { origin, reported } = await serveHttp(t, { greeter: { version: async () => Promise.reject(error) } });
    const { status, body } = await send(origin, "/version");
    t.is(status, 500);
    t.true(shownText(body).includes("Internal error"));
    t.false(body.includes("secret"));
    t.deepEqual(reported, [error]);
  });
}

test("every answer has the security headers", async (t) => {
  const { origin } = await serveHttp(t, { greeter: { version: async () => Promise.reject(new Error("no")) } });
  for (const [path, method] of [["/"], ["/version"], ["/%zz"], ["/?name=Ada"], ["/", "POST"]] as const) {
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

test("a client that goes away in the middle of its request is nobody's error", async (t) => {
  const { origin, reported } = await serveHttp(t);
  const { port } = new URL(origin);
  const socket = connect(Number(port), "127.0.0.1");
  socket.end("GET / HTTP/1.1\r\nHost: x\r\n");
  await text(socket);
  t.is((await send(origin, "/")).status, 200);
  t.deepEqual(reported, []);
});

const refused = [
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
for (const { title, bytes, answer } of refused) {
  test(`a request with ${title} is refused, and told why`, async (t) => {
    const { origin } = await serveHttp(t);
    const socket = connect(Number(new URL(origin).port), "127.0.0.1");
    socket.write(bytes);
    const answered = await text(socket);
    t.regex(answered, answer);
    t.regex(answered, /\r\nContent-Security-Policy: default-src 'none';[^]*\r\nX-Content-Type-Options: nosniff\r\n/);
    t.is((await send(origin, "/")).status, 200);
  });
}

test("an expectation that nobody knows is no reason to refuse a greeting", async (t) => {
  const { port } = await serveHttp(t);
  const socket = connect(port, "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nHost: x\r\nExpect: foo\r\nConnection: close\r\n\r\n");
  t.regex(await text(socket), /^HTTP\/1\.1 200 OK\r\n/);
});

test("a request that can't even be answered with an error is ended, not left waiting", async (t) => {
  const greeter = createGreeter({ greeting: "Hello", buildInfo: async () => Promise.reject(new Error("secret")) });
  let failures = 0;
  const failed = (): void => {
    failures += 1;
    if (failures === 1) throw new Error("The log can't be written");
  };
  const { origin } = await serveHttp(t, { app: createApp({ greeter, telemetry: { failed }, maxUrlSize: 100 }) });
  await t.throwsAsync(send(origin, "/version"), { code: "ECONNRESET" });
});
