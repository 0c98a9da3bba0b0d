// Middleware of the Koa ecosystem works as its documentation says.
import { once } from "node:events";
import { request } from "node:http";
import type { IncomingMessage } from "node:http";
import { connect } from "node:net";
import { PassThrough, Readable } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import { bodyParser } from "@koa/bodyparser";
import { Router } from "@koa/router";
import test from "ava";
import type { Middleware } from "koa";
import compress from "koa-compress";
import { createItems } from "../../fixtures/items.ts";
import { itemRoutes } from "../../fixtures/routes.ts";
import { send } from "./request.ts";
import { serveHttp } from "./serve.ts";

const compression = compress({ threshold: 0, br: false, zstd: false });

/** Sends a request that accepts gzip, and returns the body as it was sent. */
async function sendGzip(origin: string, path: string): Promise<{ response: IncomingMessage; body: Buffer }> {
  const sent = request(`${origin}${path}`, { agent: false, headers: { "Accept-Encoding": "gzip" } }).end();
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  return { response, body: await buffer(response) };
}

test("koa-compress compresses a page, and telemetry counts the compressed bytes", async (t) => {
  const { origin, logged } = await serveHttp(t, { middleware: [compression, itemRoutes(createItems())] });
  const path = `/items/${"a".repeat(1000)}`;
  const { body: page } = await send(origin, path);
  const { response, body } = await sendGzip(origin, path);
  t.is(response.statusCode, 200);
  t.is(response.headers["content-encoding"], "gzip");
  t.deepEqual(response.headers.vary?.split(", ").toSorted(), ["Accept", "Accept-Encoding"]);
  t.is(gunzipSync(body).toString(), page);
  t.true(body.length < page.length);
  t.like(await logged(({ bytes }) => bytes === body.length), { route: "/items/{id}", status: "200" });
});

test("koa-compress leaves an error page as it is", async (t) => {
  const { origin } = await serveHttp(t, { middleware: [compression, itemRoutes(createItems())] });
  const { response, body } = await sendGzip(origin, "/items/crash");
  t.is(response.statusCode, 500);
  t.is(response.headers["content-encoding"], undefined);
  t.true(body.includes("Internal error"));
});

test("a stream that fails behind koa-compress is cut off, and logged once", async (t) => {
  const page = new PassThrough();
  const router = new Router();
  router.get("/page", (context) => {
    context.type = "html";
    context.body = page;
    // More than the compression holds back.
    page.write(Buffer.from(Array.from({ length: 100_000 }, () => Math.random().toString(36)).join("")));
  });
  router.get("/", (context) => {
    context.body = "x";
  });
  const { origin, telemetry, lines } = await serveHttp(t, { middleware: [compression, router] });
  const sent = request(`${origin}/page`, { agent: false, headers: { "Accept-Encoding": "gzip" } }).end();
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  await once(response, "data");
  page.destroy(new Error("secret"));
  await t.throwsAsync(buffer(response));
  await send(origin, "/");
  telemetry.log.flush();
  t.is(lines.filter(({ msg }) => msg === "Request failed").length, 1);
});

/** Routes with a body. */
function orders(): Router {
  const router = new Router();
  router.post("/orders", (context) => {
    context.status = 201;
    context.body = { ordered: context.request.body };
  });
  return router;
}

test("@koa/bodyparser gives a route the JSON of its request", async (t) => {
  const { origin } = await serveHttp(t, { middleware: [bodyParser(), orders()] });
  const headers = { "Content-Type": "application/json" };
  const { status, body } = await send(origin, "/orders", { method: "POST", headers, body: '{"id":[1,"é"]}' });
  t.is(status, 201);
  t.deepEqual(JSON.parse(body), { ordered: { id: [1, "é"] } });
});

for (const [title, body, status] of [
  ["malformed JSON", '{"id":', 400],
  ["a body beyond its limit", JSON.stringify("x".repeat(2000)), 413],
] as const) {
  test(`@koa/bodyparser rejects ${title} with ${status} and problem details`, async (t) => {
    const { origin, lines, telemetry } = await serveHttp(t, {
      middleware: [bodyParser({ jsonLimit: "1kb" }), orders()],
    });
    const headers = { "Content-Type": "application/json" };
    const answer = await send(origin, "/orders", { method: "POST", headers, body, accept: "application/problem+json" });
    t.is(answer.status, status);
    t.is(answer.headers["content-type"], "application/problem+json");
    t.like(JSON.parse(answer.body), { status, request_id: answer.headers["x-request-id"] });
    telemetry.log.flush();
    t.false(lines.some(({ msg }) => msg === "Request failed"));
  });
}

test("a middleware may take a method that no route has, such as OPTIONS", async (t) => {
  const cors: Middleware = async (context, next) => {
    context.vary("Origin");
    if (context.method !== "OPTIONS") return void (await next());
    context.set("Access-Control-Allow-Methods", "POST");
    context.status = 204;
  };
  const { origin } = await serveHttp(t, { middleware: [cors, orders()] });
  const { status, headers } = await send(origin, "/orders", { method: "OPTIONS" });
  t.is(status, 204);
  t.is(headers["access-control-allow-methods"], "POST");
  t.like(await send(origin, "/orders", { method: "PUT" }), { status: 405 });
});

test("a middleware may take a path of its own, with a body", async (t) => {
  const hook: Middleware = async (context, next) => {
    if (context.path === "/orders/hook") context.body = `Got ${await text(context.req)}`;
    else await next();
  };
  const catchAll = new Router();
  catchAll.get("/*path", (context) => {
    context.body = "Caught";
  });
  const { origin } = await serveHttp(t, { middleware: [hook, catchAll] });
  t.like(await send(origin, "/orders/hook", { method: "POST", body: "it" }), { status: 200, body: "Got it" });
  t.like(await send(origin, "/orders/other", { method: "POST", body: "it" }), { status: 405 });
  t.like(await send(origin, "/orders/other"), { status: 200, body: "Caught" });
});

test("a middleware around the routes sees their responses, and catches their errors", async (t) => {
  const seen: unknown[] = [];
  const around: Middleware = async (context, next) => {
    try {
      await next();
      seen.push(context.status);
    } catch (error) {
      seen.push((error as Error).message);
      context.status = 418;
      context.body = "Caught";
    }
  };
  const { origin } = await serveHttp(t, { middleware: [around, itemRoutes(createItems())] });
  await send(origin, "/items/1");
  t.like(await send(origin, "/items/crash"), { status: 418, body: "Caught" });
  await send(origin, "/nowhere");
  t.deepEqual(seen, [200, "Crashed as asked", 404]);
});

test("a body that a handler streams while it is read arrives whole", async (t) => {
  const echo: Middleware = (context) => {
    context.body = context.req.pipe(new PassThrough());
  };
  const { port } = await serveHttp(t, { middleware: [echo] });
  const socket = connect(port, "127.0.0.1");
  const body = "x".repeat(300_000);
  Readable.from([
    `POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n`,
    body,
  ]).pipe(socket, { end: false });
  const answer = await text(socket);
  t.true(answer.startsWith("HTTP/1.1 200 OK"));
  t.is(answer.split("x").length - 1 >= body.length, true);
});
