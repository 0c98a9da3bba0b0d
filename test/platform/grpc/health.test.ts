import { setImmediate } from "node:timers/promises";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import type { Client } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import test from "ava";
import type { ExecutionContext } from "ava";
import { Health, HealthCheckResponse_ServingStatus as ServingStatus } from "../../../src/gen/health/v1/health_pb.ts";
import { createReadiness } from "../../../src/platform/lifecycle/readiness.ts";
import type { Readiness } from "../../../src/platform/lifecycle/readiness.ts";
import type { GrpcServer } from "../../../src/platform/grpc/server.ts";
import { serveGrpc } from "./serve.ts";

const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = ServingStatus;

async function serveHealth(
  t: ExecutionContext,
  { maxConcurrentStreams = 100 } = {},
): Promise<{ health: Client<typeof Health>; readiness: Readiness; server: GrpcServer }> {
  const readiness = createReadiness();
  const { server, target } = await serveGrpc(t, { readiness, maxConcurrentStreams });
  const baseUrl = `http://${target}`;
  const sessionManager = new Http2SessionManager(baseUrl);
  t.teardown(() => sessionManager.abort());
  return { health: createClient(Health, createGrpcTransport({ baseUrl, sessionManager })), readiness, server };
}

/** The statuses of a watch, one at a time. */
function watch(health: Client<typeof Health>, service = ""): { next: () => Promise<ServingStatus> } {
  const responses = health.watch({ service })[Symbol.asyncIterator]();
  return { next: async () => ((await responses.next()).value as { status: ServingStatus }).status };
}

for (const service of ["", "greeter.v1.GreeterService"]) {
  test(`Check follows readiness for "${service}"`, async (t) => {
    const { health, readiness } = await serveHealth(t);
    t.is((await health.check({ service })).status, NOT_SERVING);
    readiness.enter("serving");
    t.is((await health.check({ service })).status, SERVING);
    readiness.enter("draining");
    t.is((await health.check({ service })).status, NOT_SERVING);
  });

  test(`Watch tells the present status of "${service}" at once, and each change once`, async (t) => {
    const { health, readiness } = await serveHealth(t);
    const watched = watch(health, service);
    t.is(await watched.next(), NOT_SERVING);
    readiness.enter("serving");
    t.is(await watched.next(), SERVING);
    readiness.enter("draining");
    t.is(await watched.next(), NOT_SERVING);
  });
}

test("Check of an unknown service is NOT_FOUND", async (t) => {
  const { health } = await serveHealth(t);
  const error = await t.throwsAsync(health.check({ service: "nope" }), { instanceOf: ConnectError });
  t.is(error.code, Code.NotFound);
});

test("Watch of an unknown service tells that it is unknown, and stays open", async (t) => {
  const { health, readiness } = await serveHealth(t);
  const watched = watch(health, "nope");
  t.is(await watched.next(), SERVICE_UNKNOWN);
  const next = watched.next();
  readiness.enter("serving");
  const other = watch(health);
  t.is(await other.next(), SERVING);
  t.is(await Promise.race([next.catch(() => "ended"), Promise.resolve("open")]), "open");
});

test("a change from one phase that does not serve to another is no change of status", async (t) => {
  const { health, readiness, server } = await serveHealth(t);
  const watched = watch(health);
  t.is(await watched.next(), NOT_SERVING);
  readiness.enter("draining");
  const ended = t.throwsAsync(watched.next(), { instanceOf: ConnectError });
  await server.drain();
  t.is((await ended).code, Code.Unavailable);
});

test("List tells every service", async (t) => {
  const { health, readiness } = await serveHealth(t);
  readiness.enter("serving");
  const { statuses } = await health.list({});
  t.deepEqual(Object.keys(statuses).toSorted(), ["", "greeter.v1.GreeterService"]);
  t.true(Object.values(statuses).every(({ status }) => status === SERVING));
});

test("a thousand watchers hear of a drain, and none of them delays it", async (t) => {
  const { health, readiness, server } = await serveHealth(t, { maxConcurrentStreams: 1000 });
  readiness.enter("serving");
  const watchers = Array.from({ length: 1000 }, () => watch(health));
  t.true((await Promise.all(watchers.map((watcher) => watcher.next()))).every((status) => status === SERVING));
  readiness.enter("draining");
  t.true((await Promise.all(watchers.map((watcher) => watcher.next()))).every((status) => status === NOT_SERVING));

  const ends = watchers.map((watcher) => t.throwsAsync(watcher.next(), { instanceOf: ConnectError }));
  await server.drain();
  for (const { code } of await Promise.all(ends)) t.is(code, Code.Unavailable);
  t.is(await server.cut(), 0);
});

test("a watcher that goes away leaves nothing behind", async (t) => {
  const readiness = createReadiness();
  const listeners = new Set<() => void>();
  const counted: Readiness = {
    get phase() {
      return readiness.phase;
    },
    enter: (phase) => readiness.enter(phase),
    onChange: (listener) => {
      listeners.add(listener);
      const unsubscribe = readiness.onChange(listener);
      return () => {
        listeners.delete(listener);
        unsubscribe();
      };
    },
  };
  const { target } = await serveGrpc(t, { readiness: counted });
  const baseUrl = `http://${target}`;
  const sessionManager = new Http2SessionManager(baseUrl);
  t.teardown(() => sessionManager.abort());
  const health = createClient(Health, createGrpcTransport({ baseUrl, sessionManager }));
  const caller = new AbortController();
  const watchers = Array.from({ length: 10 }, () =>
    health.watch({}, { signal: caller.signal })[Symbol.asyncIterator](),
  );
  await Promise.all(watchers.map((watcher) => watcher.next()));
  t.is(listeners.size, 10);
  caller.abort();
  while (listeners.size > 0) await setImmediate();
  t.pass();
});
