import test from "ava";
import { formatBuildInfo } from "../../src/platform/build-info.ts";
import { hostileNames } from "../hostile-names.ts";
import { headIsGetWithoutBody, isNotAllowed, otherMethods } from "../platform/http/methods.ts";
import { send, shownText, withoutRequestId } from "../platform/http/request.ts";
import { buildInfo } from "../sample-build-info.ts";
import { serveGreeter } from "./serve.ts";

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
  { path: "/live/", greeting: "Hello, live!" },
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
    const { origin } = await serveGreeter(t);
    const { status, headers, body } = await send(origin, path);
    t.is(status, 200);
    t.is(headers["content-type"], "text/html; charset=utf-8");
    t.is(headers.vary, "Accept");
    t.true(shownText(body).includes(greeting), body);
    t.is((await send(origin, path, { accept: "text/plain" })).body, `${greeting}\n`);
    t.deepEqual(JSON.parse((await send(origin, path, { accept: "application/json" })).body), { message: greeting });
  });
}

for (const { title, name, valid } of hostileNames) {
  test(`a name with ${title} is ${valid ? "greeted, and never markup" : "a bad request"}`, async (t) => {
    const { origin } = await serveGreeter(t);
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
  test(`GET ${path} is a bad request, because its bytes are not UTF-8`, async (t) => {
    const { origin } = await serveGreeter(t);
    const { status, body } = await send(origin, path, { accept: "text/plain" });
    t.is(status, 400);
    t.regex(body, /^Invalid (path|query) ".*": expected percent-encoded UTF-8\nRequest id: \S+\n$/);
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
  test(`the form's ?${query} redirects to ${location}`, async (t) => {
    const { origin } = await serveGreeter(t);
    const { status, headers } = await send(origin, `/?${query}`);
    t.is(status, 303);
    t.is(headers.location, location);
    t.is(headers.vary, "Accept");
  });
}

test("the form's name is checked before the redirect", async (t) => {
  const { origin } = await serveGreeter(t);
  const { status, body } = await send(origin, "/?name=a%0Ab", { accept: "text/plain" });
  t.is(status, 400);
  t.is(withoutRequestId(body), 'Invalid name "a\\nb": expected no control character, got U+000A\n');
});

test("the longest name fits into a URL", async (t) => {
  const { origin } = await serveGreeter(t);
  const name = "🐙".repeat(256);
  const { status, body } = await send(origin, `/${encodeURIComponent(name)}`, { accept: "text/plain" });
  t.is(status, 200);
  t.is(body, `Hello, ${name}!\n`);
});

test("the operator's greeting is escaped, too", async (t) => {
  const { origin } = await serveGreeter(t, { greeting: "<i>Hi</i>" });
  const { body } = await send(origin, "/Bob");
  t.false(body.includes("<i>"));
  t.true(shownText(body).includes("<i>Hi</i>, Bob!"));
});

test("the page isolates the name, even if it looks like the end", async (t) => {
  const { origin } = await serveGreeter(t);
  t.regex((await send(origin, "/!")).body, /<h1>Hello, <bdi>!<\/bdi>!<\/h1>/);
});

test("the page isolates the name, even if the greeting repeats it", async (t) => {
  const { origin } = await serveGreeter(t, { greeting: "Bob" });
  t.regex((await send(origin, "/Bob")).body, /<h1>Bob, <bdi>Bob<\/bdi>!<\/h1>/);
});

test("GET /version returns the build information, although every path is a name", async (t) => {
  const { origin } = await serveGreeter(t);
  t.true((await send(origin, "/version")).body.includes("dep\t&lt;dep&gt;\t2.0.0"));
  t.is((await send(origin, "/version", { accept: "text/plain" })).body, formatBuildInfo(buildInfo));
});

for (const path of ["/", "/Bob", "/version", "/%zz", "/?name=Ada"]) {
  test(`HEAD ${path} has the headers of GET, and no body`, async (t) => {
    const { origin } = await serveGreeter(t);
    await headIsGetWithoutBody(t, origin, path);
  });
}

for (const method of otherMethods) {
  test(`${method} is not allowed, and the response says what is`, async (t) => {
    const { origin } = await serveGreeter(t);
    for (const path of ["/", "/Bob", "/version"]) await isNotAllowed(t, origin, path, method);
  });
}
