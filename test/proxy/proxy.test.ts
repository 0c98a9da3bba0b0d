import { readFileSync } from "node:fs";
import { request as requestPlain } from "node:http";
import { request } from "node:https";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, credentials, Metadata, status } from "@grpc/grpc-js";
import test from "ava";
import type { ExecutionContext } from "ava";
import { createGreeterClient } from "../../src/greeter/client.ts";
import { Health, HealthCheckResponse_ServingStatus as Serving } from "../../src/gen/health/v1/health_pb.ts";
import { createContext } from "../../src/platform/context.ts";
import { methodDefinition } from "../../src/platform/grpc/method.ts";
import { send } from "../platform/http/request.ts";
import { listening, serveProcess } from "../process.ts";
import type { LoggingProcess } from "../process.ts";
import { startLoad } from "./load.ts";
import { startNginx } from "./nginx.ts";
import type { Nginx } from "./nginx.ts";

/** Address of the clients, which differs from the proxy's. All of 127.0.0.0/8 is the loopback interface. */
const CLIENT = "127.0.0.2";

interface Greeter extends LoggingProcess {
  http: string;
  grpc: string;
  admin: string;
}

/** Starts a greeter that trusts the proxy, with a drain delay in which the proxy can react. */
async function startGreeter(t: ExecutionContext, flags: string[] = []): Promise<Greeter> {
  const greeter = serveProcess(t, ["--drain-delay", "1s", "--trust-proxy", "127.0.0.1", ...flags]);
  return { ...greeter, ...(await listening(greeter)) };
}

async function startAll(t: ExecutionContext): Promise<{ greeters: [Greeter, Greeter]; nginx: Nginx }> {
  const greeters = await Promise.all([startGreeter(t), startGreeter(t)]);
  const nginx = await startNginx(
    t,
    greeters.map(({ http, grpc }) => ({ http: new URL(http).host, grpc })),
  );
  return { greeters, nginx };
}

function get({ port, ca }: Nginx, path: string, headers: Record<string, string> = {}): Promise<string> {
  const options = {
    host: "localhost",
    port,
    path,
    ca: readFileSync(ca),
    agent: false,
    localAddress: CLIENT,
    headers: { accept: "text/plain", ...headers },
  };
  return new Promise((resolve, reject) => {
    request(options, (response) => void text(response).then(resolve, reject))
      .on("error", reject)
      .end();
  });
}

function grpcClient(t: ExecutionContext, { port, ca }: Nginx): ReturnType<typeof createGreeterClient> {
  const client = createGreeterClient({ target: `localhost:${port}`, tls: { ca: readFileSync(ca) } });
  t.teardown(() => client.close());
  return client;
}

test("nginx forwards both protocols on one port with TLS", async (t) => {
  const { nginx } = await startAll(t);
  t.is(await get(nginx, "/Bob"), "Hello, Bob!\n");
  const context = createContext({ deadline: Date.now() + 10_000 });
  t.is(await grpcClient(t, nginx).greet("Bob", context), "Hello, Bob!");
});

test("nginx forwards a name unchanged", async (t) => {
  const { nginx } = await startAll(t);
  t.is(await get(nginx, "/a%2Fb%20%F0%9F%90%99"), "Hello, a/b 🐙!\n");
  t.is(await get(nginx, "/a//b/../c"), "Hello, a//b/../c!\n");
});

test("gRPC reserves no name of HTTP, and an unknown method is UNIMPLEMENTED", async (t) => {
  const { nginx } = await startAll(t);
  t.is(await get(nginx, "/grpc.io"), "Hello, grpc.io!\n");
  t.is(await get(nginx, "/greeter.v1.GreeterService/Greet"), "Hello, greeter.v1.GreeterService/Greet!\n");
  const client = new Client(`localhost:${nginx.port}`, credentials.createSsl(readFileSync(nginx.ca)));
  t.teardown(() => client.close());
  const error = await new Promise((resolve) => {
    client.makeUnaryRequest("/unknown.v1.Service/Do", () => Buffer.alloc(0), String, "", new Metadata(), resolve);
  });
  t.like(error, { code: status.UNIMPLEMENTED });
});

test("nginx redirects plaintext requests to https", async (t) => {
  const { nginx } = await startAll(t);
  const location = await new Promise((resolve, reject) => {
    requestPlain({ port: nginx.plainPort, path: "/Bob", headers: { host: "localhost" } }, (response) => {
      response.resume();
      resolve([response.statusCode, response.headers.location]);
    })
      .on("error", reject)
      .end();
  });
  t.deepEqual(location, [308, "https://localhost/Bob"]);
});

test("the log has the client's address and metrics have its scheme, despite forged headers", async (t) => {
  const { nginx, greeters } = await startAll(t);
  const id = "through-nginx";
  const forged = { "X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "gopher", "X-Request-Id": id };
  await get(nginx, "/Bob", forged);
  const logged = (greeter: Greeter): ReturnType<Greeter["logged"]> =>
    greeter.logged((line) => line["request_id"] === id);
  const line = await Promise.any(greeters.map(logged));
  t.is(line["client"], CLIENT);
  t.regex(String(line["peer"]), /^127\.0\.0\.1:/);
  const metrics = await Promise.all(greeters.map(({ admin }) => send(admin, "/metrics")));
  t.regex(
    metrics.map(({ body }) => body).join(""),
    /^http_server_request_duration_seconds_count\{.*url_scheme="https"\} 1$/m,
  );
});

test("a health watch through nginx reports the drain, and ends with UNAVAILABLE", async (t) => {
  const { nginx, greeters } = await startAll(t);
  const client = new Client(`localhost:${nginx.port}`, credentials.createSsl(readFileSync(nginx.ca)));
  t.teardown(() => client.close());
  const { path, requestSerialize, responseDeserialize } = methodDefinition(Health.method.watch);
  const watch = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, {});
  const seen: unknown[] = [];
  const ended = new Promise<unknown>((resolve) => watch.on("error", resolve));
  watch.on("data", (response: { status: unknown }) => {
    seen.push(response.status);
    if (seen.length === 1) for (const greeter of greeters) greeter.kill("SIGTERM");
  });
  t.like(await ended, { code: status.UNAVAILABLE });
  t.deepEqual(seen, [Serving.SERVING, Serving.NOT_SERVING]);
});

test("without a greeter, gRPC clients get UNAVAILABLE and browsers 502", async (t) => {
  const { nginx, greeters } = await startAll(t);
  for (const greeter of greeters) greeter.kill("SIGKILL");
  await Promise.all(greeters.map(({ ended }) => ended));
  const client = new Client(`localhost:${nginx.port}`, credentials.createSsl(readFileSync(nginx.ca)), {
    "grpc.enable_retries": 0,
  });
  t.teardown(() => client.close());
  const error = await new Promise((resolve) => {
    client.makeUnaryRequest(
      "/greeter.v1.GreeterService/Greet",
      () => Buffer.alloc(0),
      String,
      "",
      new Metadata(),
      resolve,
    );
  });
  t.like(error, { code: status.UNAVAILABLE });
  t.regex(await get(nginx, "/Bob"), /502 Bad Gateway/);
});

test("a reload of nginx and a rolling restart of the greeters fail no request", async (t) => {
  const { nginx, greeters } = await startAll(t);
  const load = startLoad(nginx);
  const progress = async (): Promise<void> => {
    const before = { ...load.answered };
    while (Object.entries(load.answered).some(([kind, count]) => count < before[kind]! + 20)) await sleep(10);
  };
  for (let round = 0; round < 2; round++) {
    await progress();
    await nginx.reload();
    for (const greeter of greeters) {
      await progress();
      greeter.kill("SIGTERM");
      t.deepEqual(await greeter.ended, { code: 0, signal: null, err: "" });
      t.like(greeter.lines.at(-1), { msg: "Stopped", cut: 0 });
      await progress();
      const { http, grpc } = greeter;
      Object.assign(greeter, await startGreeter(t, ["--addr", new URL(http).host, "--grpc-addr", grpc]));
    }
  }
  await progress();
  await load.stop();
  t.deepEqual(load.failures, []);
  t.log(load.answered);
});
