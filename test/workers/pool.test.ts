import { syncBuiltinESMExports } from "node:module";
import { mock } from "node:test";
import anyTest from "ava";
import type { Distributor } from "../../src/workers/distributor.ts";
import { createPool } from "../../src/workers/pool.ts";
import type { Pool } from "../../src/workers/pool.ts";
import type { WorkerProcess } from "../../src/workers/process.ts";

// One at a time: the clock, which stands still until a test moves it, is there only once.
const test = anyTest.serial;
test.before(() => {
  mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  // Those of node:timers/promises, too.
  syncBuiltinESMExports();
});

/** A worker whose life the test tells. */
interface FakeWorker extends WorkerProcess {
  serve(): void;
  fail(message: string): void;
  leave(): void;
  end(code: number): void;
  killed: boolean;
}

function fakeWorker(worker: number, pid: number): FakeWorker {
  const started = Promise.withResolvers<void>();
  const leaving = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<{ worker: number; pid: number; code: number | null; signal: string | null }>();
  const end = (code: number | null, signal: string | null = null): void => {
    started.reject(new Error("Ended"));
    leaving.resolve();
    ended.resolve({ worker, pid, code, signal });
  };
  const fake: FakeWorker = {
    worker,
    pid,
    started: started.promise,
    leaving: leaving.promise,
    ended: ended.promise,
    cut: 0,
    metrics: [],
    readMetrics: async () => true,
    offer: async () => "taken",
    stop: () => end(0),
    endOffers: () => {},
    setLogLevel: () => {},
    kill: () => {
      fake.killed = true;
      end(null, "SIGKILL");
    },
    serve: started.resolve,
    fail: (message) => started.reject(new Error(message)),
    leave: leaving.resolve,
    end,
    killed: false,
  };
  return fake;
}

/** A pool of one worker, which serves; the workers so far, and what was told of them. */
async function poolOfOne(
  distributors: Distributor[] = [],
): Promise<{ pool: Pool; workers: FakeWorker[]; told: string[] }> {
  const workers: FakeWorker[] = [];
  const told: string[] = [];
  const pool = createPool({
    count: 1,
    startWorker: (worker) => {
      workers.push(fakeWorker(worker, workers.length));
      return workers.at(-1)!;
    },
    distributors,
    telemetry: {
      count: () => {},
      serving: () => told.push("serving"),
      lost: ({ code, signal }) => told.push(`lost: ${signal ?? code}`),
      failed: (_, error) => told.push(`failed: ${String(error)}`),
      ended: ({ code, signal }) => told.push(`ended: ${signal ?? code}`),
      stuck: () => told.push("stuck"),
    },
    onFailed: () => told.push("bad end"),
  });
  const started = pool.start();
  workers[0]!.serve();
  await started;
  return { pool, workers, told };
}

/** The same when its first worker drains after an error, and the replacement serves. */
async function poolWithOneDraining(): ReturnType<typeof poolOfOne> {
  const made = await poolOfOne();
  const { workers } = made;
  workers[0]!.leave();
  await pass(100);
  workers[1]!.serve();
  await settle();
  return made;
}

/** Lets everything happen that waits for no time to pass. */
const settle = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

async function pass(milliseconds: number): Promise<void> {
  await settle();
  mock.timers.tick(milliseconds);
  await settle();
}

test("a worker that dies again and again is waited for twice as long each time, up to ten seconds", async (t) => {
  const { pool, workers } = await poolOfOne();
  for (const delay of [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]) {
    const before = workers.length;
    workers.at(-1)!.end(1);
    await pass(delay - 1);
    t.is(workers.length, before, `not before ${delay} ms`);
    await pass(1);
    t.is(workers.length, before + 1);
    workers.at(-1)!.serve();
    await settle();
  }
  await pool.cut();
});

test("of workers that drain after an error there is one at a time, however fast they follow", async (t) => {
  const { pool, workers } = await poolWithOneDraining();
  t.is(workers.length, 2, "its replacement does not wait for it");
  workers[1]!.leave();
  await pass(60_000);
  t.is(workers.length, 2, "but the replacement's does");
  workers[0]!.end(1);
  await pass(200);
  t.is(workers.length, 3);
  await pool.cut();
});

test("a replacement that dies at once is replaced, though the one before it still drains", async (t) => {
  const { pool, workers } = await poolWithOneDraining();
  workers[1]!.end(137);
  await pass(200);
  t.is(workers.length, 3);
  workers[2]!.serve();
  await settle();
  workers[2]!.leave();
  await pass(60_000);
  t.is(workers.length, 3, "the first one and this one are ending");
  workers[0]!.end(1);
  await pass(400);
  t.is(workers.length, 4);
  await pool.cut();
});

test("in a drain, workers are told that no connection comes when all are handed out, or a second later", async (t) => {
  const drained = Promise.withResolvers<void>();
  for (const handedOut of [drained.promise, new Promise<void>(() => {})]) {
    const distributor = { drained: handedOut, add: () => {}, remove: () => {} } as unknown as Distributor;
    const { pool, workers } = await poolOfOne([distributor]);
    const worker = workers[0]!;
    let told = false;
    Object.assign(worker, { stop: () => {}, endOffers: () => (told = true) });
    pool.stop("SIGTERM");
    const ended = pool.drain();
    await settle();
    t.false(told);
    drained.resolve();
    await pass(handedOut === drained.promise ? 0 : 1000);
    t.true(told);
    worker.end(0);
    await ended;
    await pool.cut();
  }
});

test("why a worker can't be replaced is told, and is no worker lost; it is tried again", async (t) => {
  const { pool, workers, told } = await poolOfOne();
  workers[0]!.end(1);
  await pass(100);
  workers[1]!.fail("invalid --tls-cert");
  workers[1]!.end(1);
  await pass(200);
  workers[2]!.serve();
  await settle();
  t.deepEqual(told, ["serving", "lost: 1", "failed: Error: invalid --tls-cert", "serving"]);
  await pool.cut();
});

test("a worker that does not serve within a minute is killed, and tried again", async (t) => {
  const { pool, workers, told } = await poolOfOne();
  workers[0]!.end(1);
  await pass(100);
  await pass(59_999);
  t.false(workers[1]!.killed);
  await pass(1);
  t.true(workers[1]!.killed);
  await pass(200);
  t.is(workers.length, 3);
  t.is(told.at(-1), "failed: Error: Ended");
  await pool.cut();
});

test("a replacement that does not serve yet holds up no drain, and is nothing that was cut off", async (t) => {
  const { pool, workers, told } = await poolOfOne();
  workers[0]!.end(1);
  await pass(100);
  pool.stop("SIGTERM");
  await pool.drain();
  t.true(workers[1]!.killed);
  t.is(await pool.cut(), 0);
  t.false(told.includes("bad end"));
});

test("a worker that ends badly in the drain is told, though it has cut off nothing", async (t) => {
  const { pool, workers, told } = await poolOfOne();
  Object.assign(workers[0]!, { stop: () => workers[0]!.end(1) });
  pool.stop("SIGTERM");
  await pool.drain();
  t.deepEqual(told, ["serving", "ended: 1", "bad end"]);
  t.is(await pool.cut(), 0);
});
