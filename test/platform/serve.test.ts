import { once } from "node:events";
import { connect, createServer } from "node:net";
import { text } from "node:stream/consumers";
import { Client, credentials, status } from "@grpc/grpc-js";
import type { ServiceError } from "@grpc/grpc-js";
import test from "ava";
import type { ExecutionContext } from "ava";
import { formatAddress } from "../../src/platform/config/address.ts";
import { identity } from "../../src/platform/identity.ts";
import { listen } from "../../src/platform/lifecycle/listen.ts";
import { fixture, listening, serveProcess } from "../process.ts";
import type { LoggingProcess } from "../process.ts";
import { itemRequest } from "./grpc/call.ts";
import { frameClient, frameType } from "./grpc/frames.ts";
import type { FrameClient } from "./grpc/frames.ts";
import { send } from "./http/request.ts";

const getItem = "/fixture.v1.ItemService/GetItem";

function serve(t: ExecutionContext, ...flags: string[]): LoggingProcess {
  return serveProcess(t, flags, { program: fixture });
}

/** Listens on a port, and returns its address. */
async function occupyPort(t: ExecutionContext): Promise<string> {
  const other = createServer();
  t.teardown(() => other.close());
  return formatAddress(await listen(other, { host: "127.0.0.1", port: 0 }));
}

for (const flag of ["--addr", "--grpc-addr", "--admin-addr"]) {
  test(`a port in use (${flag}) ends the process with one line and exit code 1, and leaves no other port open`, async (t) => {
    const address = await occupyPort(t);
    const { code, err } = await serve(t, flag, address).ended;
    t.is(code, 1);
    t.is(err, `serve: cannot listen on ${address}: address already in use (${flag})\n`);
  });
}

test("an invalid setting ends the process with exit code 2 before any port is bound", async (t) => {
  const variable = `${identity.variablePrefix}LOG_LEVEL`;
  const service = serveProcess(t, [], { program: fixture, env: { [variable]: "loud" } });
  const { code, err } = await service.ended;
  t.is(code, 2);
  t.is(err, `serve: invalid ${variable} "loud": expected one of trace, debug, info, warn, error, fatal, silent\n`);
  t.deepEqual(service.lines, []);
});

test("--log-level sets the minimum log level", async (t) => {
  // The HTTP server is the last to start, so that the others have logged their start.
  const address = await occupyPort(t);
  const [info, warn] = [serve(t, "--addr", address), serve(t, "--addr", address, "--log-level", "warn")];
  t.like(await info.ended, { code: 1 });
  t.deepEqual(
    info.lines.map(({ level, msg }) => [level, msg]),
    Array.from({ length: 2 }, () => ["info", "Listening"]),
  );
  t.like(await warn.ended, { code: 1 });
  t.deepEqual(warn.lines, []);
});

test("/log-level changes the minimum log level until the process ends", async (t) => {
  const service = serve(t);
  const { http, admin } = await listening(service);
  t.is((await send(admin, "/log-level", { method: "PUT", body: "warn" })).status, 200);
  t.is((await send(http, "/")).status, 200);
  service.kill("SIGTERM");
  t.like(await service.ended, { code: 0, err: "" });
  t.like(service.lines.at(-1), { level: "warn", msg: "Log level changed" });
});

test("a console.log in a process on a terminal does not end the service", async (t) => {
  const program = ["--import", `data:text/javascript,process.on("SIGUSR2",()=>console.log("no JSON"))`, ...fixture];
  const service = serveProcess(t, [], { program, terminal: true });
  const { msg } = await service.logged(({ msg }) => /Listening .*"http"/.test(msg));
  const [address] = /127\.0\.0\.1:\d+/.exec(msg)!;
  service.kill("SIGUSR2");
  await service.logged(({ msg }) => msg === "no JSON");
  t.is((await send(`http://${address}`, "/items/Bob")).status, 200);
  await service.logged(({ msg }) => /INFO: GET \/items\/Bob 200 in/.test(msg));
  service.kill("SIGTERM");
  t.deepEqual(await service.ended, { code: 0, signal: null, err: "" });
  t.regex(service.lines.at(-1)!.msg, /INFO: Stopped/);
});

test("--no-reflection disables server reflection", async (t) => {
  const { grpc } = await listening(serve(t, "--no-reflection"));
  const client = new Client(grpc, credentials.createInsecure());
  t.teardown(() => client.close());
  const asIs = (bytes: Buffer): Buffer => bytes;
  const call = client.makeBidiStreamRequest("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", asIs, asIs);
  const [error] = (await once(call, "error")) as [ServiceError];
  t.is(error.code, status.UNIMPLEMENTED);
});

/** Settings of gRPC connections, a client whose connection each closes, and the minimum time until then, in milliseconds. */
const grpcTimeouts: { flags: string[]; join: (grpc: string) => FrameClient; minimumMs: number }[] = [
  {
    flags: ["--grpc-max-connection-age", "300ms", "--grpc-max-connection-age-grace", "300ms"],
    join: (grpc) => {
      const client = frameClient(grpc);
      client.open(getItem);
      return client;
    },
    minimumMs: 500,
  },
  { flags: ["--grpc-max-connection-idle", "300ms"], join: (grpc) => frameClient(grpc), minimumMs: 290 },
  {
    flags: ["--grpc-keepalive-time", "200ms", "--grpc-keepalive-timeout", "300ms"],
    join: (grpc) => frameClient(grpc, { silent: true }),
    minimumMs: 490,
  },
];
for (const { flags, join, minimumMs } of grpcTimeouts) {
  test(`${flags.join(" ")} closes a connection, and not too early`, async (t) => {
    const { grpc } = await listening(serve(t, ...flags));
    const start = performance.now();
    await join(grpc).closed;
    t.true(performance.now() - start >= minimumMs);
  });
}

const httpTimeouts: { flags: string[]; request: string; response: RegExp }[] = [
  { flags: ["--http-keep-alive-timeout", "300ms"], request: "GET / HTTP/1.1\r\nHost: x\r\n\r\n", response: / 200 OK/ },
  { flags: ["--http-headers-timeout", "300ms"], request: "GET / HTTP/1.1\r\n", response: / 408 Request Timeout/ },
];
for (const { flags, request, response } of httpTimeouts) {
  test(`${flags.join(" ")} closes a connection, and not too early`, async (t) => {
    const { http } = await listening(serve(t, ...flags));
    const start = performance.now();
    const socket = connect(Number(new URL(http).port), "127.0.0.1");
    socket.write(request);
    t.regex(await text(socket), response);
    t.true(performance.now() - start >= 290);
  });
}

test("--max-in-flight counts both protocols together, and rejects neither health checks nor the admin port", async (t) => {
  const service = serve(t, "--max-in-flight", "1");
  const { http, grpc, admin } = await listening(service);
  const client = frameClient(grpc);
  t.teardown(() => client.destroy());
  const answered = async (stream: number): Promise<boolean> => {
    while (!client.isAnswered(stream)) await client.next();
    // A rejected call has no message.
    return client.frames.some((frame) => frame.stream === stream && frame.type === frameType.data);
  };

  // The server admits the calls of a connection in their order.
  const hanging = client.call(getItem, itemRequest("hang"));
  t.false(await answered(client.call(getItem, itemRequest("a"))));
  t.is((await send(http, "/items/a")).status, 503);
  t.true(await answered(client.call("/grpc.health.v1.Health/Check", Buffer.alloc(0))));
  t.is((await send(admin, "/readyz")).status, 200);

  const CANCEL = 8;
  client.send({ type: frameType.rstStream, flags: 0, stream: hanging, payload: Buffer.from([0, 0, 0, CANCEL]) });
  await service.logged((line) => line["status"] === "CANCELLED");
  t.is((await send(http, "/items/a")).status, 200);
  t.true(await answered(client.call(getItem, itemRequest("a"))));
});
