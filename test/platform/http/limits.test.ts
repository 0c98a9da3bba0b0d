import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import test from "ava";
import { createAdmission } from "../../../src/platform/lifecycle/admission.ts";
import { send } from "./request.ts";
import { serveHttp } from "./serve.ts";

test("a URL that is too long is 414, one that is just not is answered", async (t) => {
  const { origin } = await serveHttp(t, { maxUrlSize: 100 });
  t.is((await send(origin, `/${"a".repeat(99)}`)).status, 200);
  const { status, body } = await send(origin, `/${"a".repeat(100)}`, { accept: "text/plain" });
  t.is(status, 414);
  t.regex(body, /^The URL has 101 bytes: expected at most 100\n/);
});

test("the longest name there may be fits into a URL", async (t) => {
  const { origin } = await serveHttp(t);
  const name = "🐙".repeat(256);
  const { status, body } = await send(origin, `/${encodeURIComponent(name)}`, { accept: "text/plain" });
  t.is(status, 200);
  t.is(body, `Hello, ${name}!\n`);
});

test("headers that are too large are 431, with the reason", async (t) => {
  const { port } = await serveHttp(t, { maxHeaderSize: 1024 });
  const socket = connect(port, "127.0.0.1");
  socket.write(`GET / HTTP/1.1\r\nHost: x\r\nX: ${"x".repeat(2000)}\r\n\r\n`);
  t.regex(await text(socket), /^HTTP\/1\.1 431 [^]*The request's headers are too large\n/);
});

test("connections beyond the limit are closed at once and counted, and one that ends makes room", async (t) => {
  const { port, origin, server, telemetry, samples } = await serveHttp(t, { maxConnections: 1 });
  telemetry.countConnections("http", server.listener);
  const first = connect(port, "127.0.0.1");
  await once(server.listener, "connection");
  const second = connect(port, "127.0.0.1");
  second.on("error", () => {}).resume();
  await new Promise((resolve) => second.once("close", resolve));
  t.is(samples("greeter_connections_dropped_total")['protocol="http"'], 1);
  first.destroy();
  while (samples("greeter_connections")['protocol="http"'] !== 0) await new Promise((resolve) => setImmediate(resolve));
  t.is((await send(origin, "/")).status, 200);
});

test("requests may be pipelined, but not without end", async (t) => {
  const { port } = await serveHttp(t);
  const request = "GET /Bob HTTP/1.1\r\nHost: x\r\n\r\n";
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

test("a tunnel that is asked for and reset does no harm to anybody", async (t) => {
  const { port, origin } = await serveHttp(t);
  for (let count = 0; count < 200; count++) {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    await once(socket, "connect");
    socket.write("CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n");
    if (count % 2 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    socket.resetAndDestroy();
  }
  t.is((await send(origin, "/")).status, 200);
});

test("a connection serves only so many requests, and says so before it closes", async (t) => {
  const { port } = await serveHttp(t, { maxRequestsPerConnection: 3 });
  const socket = connect(port, "127.0.0.1");
  socket.write("GET /Bob HTTP/1.1\r\nHost: x\r\n\r\n".repeat(5));
  const answers = (await text(socket)).split("HTTP/1.1 200 OK").slice(1);
  t.deepEqual(
    answers.map((answer) => /^Connection: (.*)\r$/m.exec(answer)![1]),
    ["keep-alive", "keep-alive", "close"],
  );
});

test("a client that does not read its answers is dropped before they fill the memory", async (t) => {
  const { port, server, samples } = await serveHttp(t, { sendTimeoutMs: 200 });
  const accepted = once(server.listener, "connection");
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {}).pause();
  const [theirs] = (await accepted) as [typeof socket];
  const requests = 20_000;
  socket.write("GET /version HTTP/1.1\r\nHost: x\r\n\r\n".repeat(requests));
  let most = 0;
  const measure = setInterval(() => (most = Math.max(most, theirs.writableLength)), 5);
  await new Promise((resolve) => theirs.once("close", resolve));
  clearInterval(measure);
  const served = Object.values(samples("http_server_request_duration_seconds_count")).reduce((sum, n) => sum + n, 0);
  t.true(served < requests, `${served} were answered`);
  t.true(most < 2 ** 20, `${most} bytes waited`);
});

test("what is too much is 503 at once, and later there is room again", async (t) => {
  const started = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<string>();
  const greet = (): Promise<string> => {
    started.resolve();
    return finish.promise;
  };
  const { origin, logged } = await serveHttp(t, { admission: createAdmission(1), greeter: { greet } });
  const first = send(origin, "/");
  await started.promise;
  const { status, headers, body } = await send(origin, "/Bob", { headers: { "X-Request-Id": "too-much" } });
  t.is(status, 503);
  t.is(headers["retry-after"], "1");
  t.is(headers["x-content-type-options"], "nosniff");
  t.is(body, "Overloaded: too many requests are in flight\nRequest id: too-much\n");
  t.like(await logged(({ request_id }) => request_id === "too-much"), { status: "503", level: "warn" });
  finish.resolve("Hello, at last!");
  t.is((await first).status, 200);
  t.is((await send(origin, "/version")).status, 200);
});
