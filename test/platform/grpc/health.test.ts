import { setImmediate } from "node:timers/promises";
import { Code, ConnectError, type Client } from "@connectrpc/connect";
import test, { type ExecutionContext } from "ava";
import { Health, HealthCheckResponse_ServingStatus as ServingStatus } from "../../../src/gen/health/v1/health_pb.ts";
import { createReadiness, type Readiness } from "../../../src/platform/lifecycle/readiness.ts";
import { connectClient, serveGrpc, type ServedGrpc } from "./serve.ts";

const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = ServingStatus;

async function serveHealth(
  t: ExecutionContext,
  { readiness = createReadiness(), grpcMaxConcurrentStreams = 100 } = {},
): Promise<Pick<ServedGrpc, "readiness" | "server"> & { health: Client<typeof Health> }> {
  const { server, target } = await serveGrpc(t, { readiness, grpcMaxConcurrentStreams });
  return { health: connectClient(t, Health, target), readiness, server };
}

/** Watches a service, one status at a time. */
function watch(health: Client<typeof Health>, service = ""): { next: () => Promise<ServingStatus> } {
  const responses = health.watch({ service })[Symbol.asyncIterator]();
  return { next: async () => ((await responses.next()).value as { status: ServingStatus }).status };
}

for (const service of ["", "fixture.v1.ItemService"]) {
  test(`Check returns the readiness of "${service}"`, async (t) => {
    const { health, readiness } = await serveHealth(t);
    t.is((await health.check({ service })).status, NOT_SERVING);
    readiness.enter("serving");
    t.is((await health.check({ service })).status, SERVING);
    readiness.enter("draining");
    t.is((await health.check({ service })).status, NOT_SERVING);
  });

  test(`Watch sends the current status of "${service}" at once, and each change once`, async (t) => {
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

test("Watch of an unknown service sends SERVICE_UNKNOWN, and stays open", async (t) => {
  const { health, readiness } = await serveHealth(t);
  const watched = watch(health, "nope");
  t.is(await watched.next(), SERVICE_UNKNOWN);
  const next = watched.next();
  readiness.enter("serving");
  const other = watch(health);
  t.is(await other.next(), SERVING);
  t.is(await Promise.race([next.catch(() => "ended"), Promise.resolve("open")]), "open");
});

test("Watch sends nothing if the phase changes and the status does not", async (t) => {
  const { health, readiness, server } = await serveHealth(t);
  const watched = watch(health);
  t.is(await watched.next(), NOT_SERVING);
  readiness.enter("draining");
  const ended = t.throwsAsync(watched.next(), { instanceOf: ConnectError });
  await server.drain();
  t.is((await ended).code, Code.Unavailable);
});

test("List returns every service", async (t) => {
  const { health, readiness } = await serveHealth(t);
  readiness.enter("serving");
  const { statuses } = await health.list({});
  t.deepEqual(Object.keys(statuses).toSorted(), ["", "fixture.v1.ItemService"]);
  t.true(Object.values(statuses).every(({ status }) => status === SERVING));
});

test("a thousand watches receive the drain, and do not delay it", async (t) => {
  const { health, readiness, server } = await serveHealth(t, { grpcMaxConcurrentStreams: 1000 });
  readiness.enter("serving");
  const watches = Array.from({ length: 1000 }, () => watch(health));
  t.true((await Promise.all(watches.map((watched) => watched.next()))).every((status) => status === SERVING));
  readiness.enter("draining");
  t.true((await Promise.all(watches.map((watched) => watched.next()))).every((status) => status === NOT_SERVING));

  const ends = watches.map((watched) => t.throwsAsync(watched.next(), { instanceOf: ConnectError }));
  await server.drain();
  for (const { code } of await Promise.all(ends)) t.is(code, Code.Unavailable);
  t.is(await server.cut(), 0);
});

test("a watch whose client leaves removes its listener", async (t) => {
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
  const { health } = await serveHealth(t, { readiness: counted });
  const caller = new AbortController();
  const watches = Array.from({ length: 10 }, () => health.watch({}, { signal: caller.signal })[Symbol.asyncIterator]());
  await Promise.all(watches.map((watched) => watched.next()));
  t.is(listeners.size, 10);
  caller.abort();
  while (listeners.size > 0) await setImmediate();
  t.pass();
});
