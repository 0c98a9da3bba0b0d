import { connect, createServer } from "node:net";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import test from "ava";
import { formatAddress, listen } from "../../src/address.ts";
import { createGreeterClient } from "../../src/grpc/client.ts";
import { send } from "../http/request.ts";
import { serveProcess } from "../process.ts";
import { serveWithWorkers } from "./service.ts";

const workersOf = (lines: { [field: string]: unknown }[], message: "Request" | "Call"): string =>
  lines
    .filter(({ msg }) => msg === message)
    .map(({ worker }) => String(worker))
    .toSorted()
    .join(" ");

test("every new connection goes to the next worker, of both protocols", async (t) => {
  const { process, http, grpc, metric } = await serveWithWorkers(t);
  for (let count = 0; count < 4; count++) {
    t.is((await send(http, "/Ada", { accept: "text/plain" })).body, "Hello, Ada!\n");
    const client = createGreeterClient({ target: grpc, timeoutMs: 10_000 });
    t.is(await client.greet("Bob"), "Hello, Bob!");
    client.close();
  }
  await process.logged(() => process.lines.filter(({ msg }) => msg === "Request" || msg === "Call").length === 8);
  t.is(workersOf(process.lines, "Request"), "1 1 2 2");
  t.is(workersOf(process.lines, "Call"), "1 1 2 2");
  t.is(await metric("http_server_request_duration_seconds_count"), 4, "/metrics has what all of them counted");
  t.is(await metric("rpc_server_call_duration_seconds_count"), 4);
});

test("a client that has closed its side is answered, and is the peer in the log", async (t) => {
  const { process, http } = await serveWithWorkers(t);
  const socket = connect({ port: Number(new URL(http).port), host: "127.0.0.1", allowHalfOpen: true });
  await once(socket, "connect");
  const { localAddress, localPort } = socket;
  socket.end("GET /Ada HTTP/1.1\r\nHost: x\r\nAccept: text/plain\r\n\r\n");
  t.regex((await socket.toArray()).join(""), /^HTTP\/1\.1 200 [^]*Hello, Ada!\n$/);
  const { peer } = await process.logged(({ msg }) => msg === "Request");
  t.is(peer, `${localAddress}:${localPort}`);
});

test("a request that never becomes whole ends as it does with one process", async (t) => {
  const { http } = await serveWithWorkers(t, ["--http-headers-timeout", "300ms"]);
  const socket = connect(Number(new URL(http).port), "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nHo");
  t.regex((await socket.toArray()).join(""), /^HTTP\/1\.1 408 /);
});

test("the limit of connections is that of each worker, and what is beyond it is closed and counted", async (t) => {
  const { http, metric } = await serveWithWorkers(t, ["--max-connections", "1"]);
  const port = Number(new URL(http).port);
  const open = [connect(port, "127.0.0.1"), connect(port, "127.0.0.1")];
  t.teardown(() => open.forEach((socket) => socket.destroy()));
  while ((await metric("greeter_connections")) < 2 + 1) await sleep(10);
  await t.throwsAsync(send(http, "/Ada"), { code: "ECONNRESET" });
  t.is(await metric("greeter_connections_dropped_total"), 1);
});

test("a log level that is set holds for every worker, and for those that come later", async (t) => {
  const { process, http, admin, pidOf, metric } = await serveWithWorkers(t);
  t.is((await send(admin, "/log-level", { method: "PUT", body: "error" })).body, "error\n");
  const changes = (): number => process.lines.filter(({ msg }) => msg === "Log level changed").length;
  await process.logged(() => changes() === 3);
  t.is((await send(admin, "/log-level", { method: "PUT", body: "error" })).body, "error\n");
  globalThis.process.kill(pidOf(1), "SIGKILL");
  await process.logged(() => changes() === 4);
  while ((await metric("greeter_workers")) < 2) await sleep(20);
  for (let count = 0; count < 3; count++) await send(http, "/Ada");
  process.kill("SIGTERM");
  t.like(await process.ended, { code: 0 });
  t.false(process.lines.some(({ msg }) => msg === "Request"));
});

test("a port that is in use is told once, before any worker is started", async (t) => {
  const other = createServer();
  const address = formatAddress(await listen(other, { host: "127.0.0.1", port: 0 }));
  t.teardown(() => other.close());
  const service = serveProcess(t, ["--workers", "2", "--addr", address]);
  t.like(await service.ended, { code: 1, err: `serve: cannot listen on ${address}: it is in use\n` });
  t.false(service.lines.some(({ worker }) => worker !== undefined));
});

test("a setting that only a worker finds wrong is told once, with exit code 2", async (t) => {
  const service = serveProcess(t, ["--workers", "2", "--tls-cert", "/nowhere", "--tls-key", "/nowhere"]);
  const { code, err } = await service.ended;
  t.is(code, 2);
  t.regex(err, /^serve: [^\n]*\/nowhere[^\n]*\n$/);
});

test("no one becomes a worker who was not started as one", async (t) => {
  const service = serveProcess(t, [], { env: { GREETER_WORKER: "1" } });
  t.like(await service.ended, { code: 1, err: "serve: cannot be a worker: only serve --workers starts them\n" });
});
