import { once } from "node:events";
import { Agent, get as httpGet } from "node:http";
import type { IncomingMessage } from "node:http";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { text } from "node:stream/consumers";
import test from "ava";
import { send } from "./request.ts";
import { serveHttp } from "./serve.ts";

/** Asks over a connection that it keeps. */
async function ask(origin: string, agent: Agent): Promise<IncomingMessage> {
  const [response] = (await once(httpGet(origin, { agent }), "response")) as [IncomingMessage];
  await text(response);
  return response;
}

test("a client that keeps its connection is sent to open another one while draining", async (t) => {
  const { origin, readiness } = await serveHttp(t);
  const agent = new Agent({ keepAlive: true });
  t.teardown(() => agent.destroy());
  t.is((await ask(origin, agent)).headers.connection, "keep-alive");
  readiness.enter("draining");
  const { statusCode, headers } = await ask(origin, agent);
  t.is(statusCode, 200);
  t.is(headers.connection, "close");
});

test("a drain waits for the request in flight, closes its connection after it, and takes no new one", async (t) => {
  const started = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<string>();
  const greet = (): Promise<string> => {
    started.resolve();
    return finish.promise;
  };
  const { origin, server } = await serveHttp(t, { greeter: { greet } });
  const agent = new Agent({ keepAlive: true });
  t.teardown(() => agent.destroy());
  const answer = ask(origin, agent);
  await started.promise;

  let drained = false;
  const draining = server.drain().then(() => (drained = true));
  await t.throwsAsync(send(origin, "/"), { code: "ECONNREFUSED" });
  t.false(drained);
  finish.resolve("Hello, late!");
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

test("cutting closes what is left, and tells how many requests that were", async (t) => {
  const started = Promise.withResolvers<void>();
  const { promise: never } = Promise.withResolvers<string>();
  const greet = (): Promise<string> => {
    started.resolve();
    return never;
  };
  const { origin, server } = await serveHttp(t, { greeter: { greet } });
  const request = t.throwsAsync(send(origin, "/"), { code: "ECONNRESET" });
  await started.promise;
  t.is(await server.cut(), 1);
  await request;
});

test("a connection that waits too long for its next request is closed", async (t) => {
  const { origin, port } = await serveHttp(t, { keepAliveTimeoutMs: 100 });
  const socket = connect(port, "127.0.0.1");
  socket.write(`GET / HTTP/1.1\r\nHost: ${origin}\r\n\r\n`);
  t.regex(await text(socket), /^HTTP\/1\.1 200 OK/);
});

test("a client that is slow with its headers is told so, and dropped", async (t) => {
  const { port } = await serveHttp(t, { headersTimeoutMs: 100 });
  const socket = connect(port, "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\n");
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
  test(`a body is not waited for: ${method} with ${body.replaceAll("\r\n", " and ")} is ${status}, and closed`, async (t) => {
    const { port } = await serveHttp(t);
    const socket = connect(port, "127.0.0.1");
    socket.write(`${method} / HTTP/1.1\r\nHost: x\r\n${body}\r\n\r\n`);
    const answer = await text(socket);
    t.true(answer.startsWith(`HTTP/1.1 ${status} `), answer);
    t.regex(answer, /\r\nConnection: close\r\n/);
  });
}

test("an empty body is none", async (t) => {
  const { origin } = await serveHttp(t);
  t.is((await send(origin, "/Bob", { headers: { "Content-Length": "0" } })).status, 200);
});

for (const [what, request] of Object.entries({
  "is slow with its headers": "GET / HTTP/1.1\r\n",
  "asks for a tunnel": "CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
  "sends what is no HTTP": "\0\0\0",
})) {
  test(`a client that ${what} is dropped, although it keeps its side open`, async (t) => {
    const { server, port } = await serveHttp(t, { headersTimeoutMs: 100 });
    const accepted = once(server.listener, "connection");
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    t.teardown(() => socket.destroy());
    socket.on("error", () => {}).resume();
    socket.write(request);
    const [theirs] = (await accepted) as [Socket];
    await new Promise((resolve) => theirs.once("close", resolve));
    t.pass();
  });
}
