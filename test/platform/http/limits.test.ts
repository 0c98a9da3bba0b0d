import { once } from "node:events";
import { connect } from "node:net";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import test from "ava";
import { identity } from "../../../src/platform/identity.ts";
import { createAdmission } from "../../../src/platform/lifecycle/admission.ts";
import { createItems } from "../../fixtures/items.ts";
import { itemRoutes } from "../../fixtures/routes.ts";
import { send } from "./request.ts";
import { createGate, serveHttp } from "./serve.ts";

test("a URL beyond the limit is 414, and one at the limit is answered", async (t) => {
  const { origin } = await serveHttp(t, { httpMaxUrlSize: 100 });
  const path = "/items/".padEnd(100, "a");
  t.is((await send(origin, path)).status, 200);
  const { status, body } = await send(origin, `${path}a`, { accept: "text/plain" });
  t.is(status, 414);
  t.regex(body, /^The URL has 101 bytes: expected at most 100\n/);
});

test("headers beyond the limit are 431, with the reason", async (t) => {
  const { port } = await serveHttp(t, { httpMaxHeaderSize: 1024 });
  const socket = connect(port, "127.0.0.1");
  socket.write(`GET / HTTP/1.1\r\nHost: x\r\nX: ${"x".repeat(2000)}\r\n\r\n`);
  t.regex(await text(socket), /^HTTP\/1\.1 431 [^]*The request's headers are too large\n/);
});

test("connections beyond the limit are closed at once and counted, and a closed one frees its place", async (t) => {
  const { port, origin, server, telemetry, samples } = await serveHttp(t, { maxConnections: 1 });
  telemetry.countConnections("http", server.listener);
  const first = connect(port, "127.0.0.1");
  await once(server.listener, "connection");
  const second = connect(port, "127.0.0.1");
  second.on("error", () => {}).resume();
  await new Promise((resolve) => second.once("close", resolve));
  t.is(samples(`${identity.metricPrefix}connections_dropped_total`)['protocol="http"'], 1);
  first.destroy();
  const open = (): number | undefined => samples(`${identity.metricPrefix}connections`)['protocol="http"'];
  while (open() !== 0) await new Promise((resolve) => setImmediate(resolve));
  t.is((await send(origin, "/")).status, 200);
});

test("a client may pipeline requests, up to a limit", async (t) => {
  const { port } = await serveHttp(t);
  const request = "GET /items/1 HTTP/1.1\r\nHost: x\r\n\r\n";
  const some = connect(port, "127.0.0.1");
  some.write(request.repeat(16));
  let answers = "";
  for await (const chunk of some.setEncoding("utf8")) {
    answers += String(chunk);
    if (answers.split("200 OK").length > 16) break;
  }
  const many = connect(port, "127.0.0.1");
  many.on("error", () => {}).resume();
  many.write(request.repeat(200));
  await new Promise((resolve) => many.once("close", resolve));
  t.pass();
});

test("a client that asks for a tunnel and resets its connection harms no other request", async (t) => {
  const { port, origin } = await serveHttp(t);
  for (let count = 0; count < 200; count++) {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    await once(socket, "connect");
    socket.write("CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n");
    // Half of them are reset before the response arrives.
    if (count % 2 === 0) await once(socket, "data");
    socket.resetAndDestroy();
  }
  t.is((await send(origin, "/")).status, 200);
});

test("a connection announces its end with its last request", async (t) => {
  const { port } = await serveHttp(t, { httpMaxRequestsPerConnection: 3 });
  const socket = connect(port, "127.0.0.1");
  socket.write("GET /items/1 HTTP/1.1\r\nHost: x\r\n\r\n".repeat(5));
  const answers = (await text(socket)).split("HTTP/1.1 200 OK").slice(1);
  t.deepEqual(
    answers.map((answer) => /^Connection: (.*)\r$/m.exec(answer)![1]),
    ["keep-alive", "keep-alive", "close"],
  );
});

test("a request after the last one of its connection reaches no handler", async (t) => {
  const paths: string[] = [];
  const { port } = await serveHttp(t, {
    httpMaxRequestsPerConnection: 2,
    middleware: [
      (context) => {
        paths.push(context.path);
        context.body = "x";
      },
    ],
  });
  const socket = connect(port, "127.0.0.1");
  socket.write(["/1", "/2", "/3"].map((path) => `POST ${path} HTTP/1.1\r\nHost: x\r\n\r\n`).join(""));
  await text(socket);
  t.deepEqual(paths, ["/1", "/2"]);
});

test("a client that does not read its responses is disconnected before they fill the memory", async (t) => {
  const { port, server, samples } = await serveHttp(t, { httpSendTimeout: 200 });
  const accepted = once(server.listener, "connection");
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {}).pause();
  const [serverSide] = (await accepted) as [typeof socket];
  const requests = 20_000;
  socket.write("GET /version HTTP/1.1\r\nHost: x\r\n\r\n".repeat(requests));
  let most = 0;
  const measure = setInterval(() => (most = Math.max(most, serverSide.writableLength)), 5);
  await new Promise((resolve) => serverSide.once("close", resolve));
  clearInterval(measure);
  const served = Object.values(samples("http_server_request_duration_seconds_count")).reduce((sum, n) => sum + n, 0);
  t.true(served < requests, `${served} were answered`);
  t.true(most < 2 ** 20, `${most} bytes waited`);
});

test("a client that does not read its response holds no slot", async (t) => {
  const { origin, port } = await serveHttp(t, {
    admission: createAdmission(1),
    middleware: [
      (context) => {
        context.body = Buffer.alloc(context.path === "/large" ? 50_000_000 : 1);
      },
    ],
  });
  const socket = connect(port, "127.0.0.1");
  t.teardown(() => socket.destroy());
  socket.write("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  await once(socket, "readable");
  t.is((await send(origin, "/small")).status, 200);
  t.true(socket.readableLength < 50_000_000);
});

test("a client that stops reading a response is disconnected after the send timeout", async (t) => {
  const endless = Readable.from(
    (function* () {
      for (;;) yield Buffer.alloc(65_536);
    })(),
  );
  const stopped = new Promise((resolve) => endless.once("close", resolve));
  const { port } = await serveHttp(t, {
    httpSendTimeout: 200,
    middleware: [
      (context) => {
        context.body = endless;
      },
    ],
  });
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {}).pause();
  t.teardown(() => socket.destroy());
  socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await stopped;
  t.pass();
});

test("a request beyond the limit in flight is 503 at once, and a later one is served", async (t) => {
  const gate = createGate();
  const { origin, logged } = await serveHttp(t, {
    admission: createAdmission(1),
    middleware: [gate.middleware, itemRoutes(createItems())],
  });
  const first = send(origin, "/gate");
  await gate.started;
  const { status, headers, body } = await send(origin, "/items/1", { headers: { "X-Request-Id": "too-much" } });
  t.is(status, 503);
  t.is(headers["retry-after"], "1");
  t.is(headers["x-content-type-options"], "nosniff");
  t.is(body, "Overloaded: too many requests are in flight\nRequest id: too-much\n");
  t.like(await logged(({ request_id }) => request_id === "too-much"), { status: "503", level: "warn" });
  gate.open();
  t.is((await first).status, 200);
  t.is((await send(origin, "/items/1")).status, 200);
});
