import { once } from "node:events";
import { Agent, get as httpGet } from "node:http";
import type { IncomingMessage } from "node:http";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import test from "ava";
import type { Middleware } from "koa";
import { send } from "./request.ts";
import { createGate, serveHttp } from "./serve.ts";

/** Sends a request over a connection that stays open. */
async function ask(url: string, agent: Agent): Promise<IncomingMessage> {
  const [response] = (await once(httpGet(url, { agent }), "response")) as [IncomingMessage];
  await text(response);
  return response;
}

test("a response closes its connection during the drain", async (t) => {
  const { origin, readiness } = await serveHttp(t);
  const agent = new Agent({ keepAlive: true });
  t.teardown(() => agent.destroy());
  t.is((await ask(origin, agent)).headers.connection, "keep-alive");
  readiness.enter("draining");
  const { statusCode, headers } = await ask(origin, agent);
  t.is(statusCode, 200);
  t.is(headers.connection, "close");
});

test("a drain waits for the request in flight, closes its connection, and accepts no new one", async (t) => {
  const gate = createGate();
  const { origin, server } = await serveHttp(t, { middleware: [gate.middleware] });
  const agent = new Agent({ keepAlive: true });
  t.teardown(() => agent.destroy());
  const answer = ask(`${origin}/gate`, agent);
  await gate.started;

  let drained = false;
  const draining = server.drain().then(() => (drained = true));
  await t.throwsAsync(send(origin, "/"), { code: "ECONNREFUSED" });
  t.false(drained);
  gate.open();
  const { statusCode, headers } = await answer;
  t.is(statusCode, 200);
  t.is(headers.connection, "close");
  await draining;
  t.is(await server.cut(), 0);
});

test("a drain closes an idle connection at once", async (t) => {
  const { origin, server } = await serveHttp(t);
  const agent = new Agent({ keepAlive: true });
  t.teardown(() => agent.destroy());
  await ask(origin, agent);
  await server.drain();
  t.pass();
});

test("cut closes every connection, and returns the number of requests in flight", async (t) => {
  const gate = createGate();
  const { origin, server } = await serveHttp(t, { middleware: [gate.middleware] });
  const request = t.throwsAsync(send(origin, "/gate"), { code: "ECONNRESET" });
  await gate.started;
  t.is(await server.cut(), 1);
  await request;
});

test("an idle connection is closed after the keep-alive timeout", async (t) => {
  const { origin, port } = await serveHttp(t, { httpKeepAliveTimeout: 100 });
  const socket = connect(port, "127.0.0.1");
  socket.write(`GET / HTTP/1.1\r\nHost: ${origin}\r\n\r\n`);
  t.regex(await text(socket), /^HTTP\/1\.1 200 OK/);
});

test("a request whose headers arrive too late is 408, and its connection is closed", async (t) => {
  const { port } = await serveHttp(t, { httpHeadersTimeout: 100 });
  const socket = connect(port, "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\n");
  t.regex(
    await text(socket),
    /^HTTP\/1\.1 408 Request Timeout\r\n[^]*The request did not arrive in time\nRequest id: \S+\n$/,
  );
});

test("a request whose body arrives too late is 408, and its connection is closed", async (t) => {
  const { port } = await serveHttp(t, { httpHeadersTimeout: 100 });
  const socket = connect(port, "127.0.0.1");
  socket.write("POST /items HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
  t.regex(
    await text(socket),
    /^HTTP\/1\.1 408 Request Timeout\r\n[^]*The request did not arrive in time\nRequest id: \S+\n$/,
  );
});

for (const [method, body, status] of [
  ["POST", "Content-Length: 10", 405],
  ["GET", "Content-Length: 10", 413],
  ["GET", "Transfer-Encoding: chunked", 413],
  ["GET", "Expect: 100-continue\r\nContent-Length: 10", 413],
] as const) {
  test(`${method} with ${body.replaceAll("\r\n", " and ")} is ${status} at once, and closes the connection`, async (t) => {
    const { port } = await serveHttp(t);
    const socket = connect(port, "127.0.0.1");
    socket.write(`${method} / HTTP/1.1\r\nHost: x\r\n${body}\r\n\r\n`);
    const answer = await text(socket);
    t.true(answer.startsWith(`HTTP/1.1 ${status} `), answer);
    // A second response would be that of a timeout.
    t.is(answer.match(/HTTP\/1\.1 /g)?.length, 1);
    t.regex(answer, /\r\nConnection: close\r\n/);
  });
}

for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
  test(`a request with the method ${method} may have a body`, async (t) => {
    const echo: Middleware = async (context) => {
      context.body = await text(context.req);
    };
    const { origin } = await serveHttp(t, { middleware: [echo] });
    const { status, body } = await send(origin, "/", { method, headers: { "Content-Length": "3" }, body: "abc" });
    t.is(status, 200);
    t.is(body, "abc");
  });
}

test("a malformed request closes the connection without a second response inside the one that is being sent", async (t) => {
  const body = new PassThrough();
  const respond: Middleware = (context) => {
    context.body = body;
  };
  const { port } = await serveHttp(t, { middleware: [respond] });
  const socket = connect(port, "127.0.0.1").setEncoding("utf8");
  socket.on("error", () => {});
  let answer = "";
  socket.on("data", (chunk) => (answer += String(chunk)));
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  body.write("abc");
  while (!answer.includes("abc")) await once(socket, "data");
  socket.write("nonsense\r\n\r\n");
  await closed;
  t.is(answer.match(/HTTP\/1\.1 /g)?.length, 1);
});

test("a request may have an empty body", async (t) => {
  const { origin } = await serveHttp(t);
  t.is((await send(origin, "/items/1", { headers: { "Content-Length": "0" } })).status, 200);
});

for (const [what, request] of Object.entries({
  "sends incomplete headers": "GET / HTTP/1.1\r\n",
  "asks for a tunnel": "CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
  "sends bytes that are not HTTP": "\0\0\0",
})) {
  test(`a client that ${what} is disconnected, although it keeps its side open`, async (t) => {
    const { server, port } = await serveHttp(t, { httpHeadersTimeout: 100 });
    const accepted = once(server.listener, "connection");
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    t.teardown(() => socket.destroy());
    socket.on("error", () => {}).resume();
    socket.write(request);
    const [serverSide] = (await accepted) as [Socket];
    await new Promise((resolve) => serverSide.once("close", resolve));
    t.pass();
  });
}
