import { Agent, request } from "node:http";
import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { text } from "node:stream/consumers";
import test from "ava";
import { createGreeterClient } from "../../src/grpc/client.ts";
import { frameClient, frameType } from "../grpc/frames.ts";
import { send } from "../http/request.ts";
import { serveWithWorkers } from "./service.ts";

/** Kills a process at once, or stops it where it is. */
const kill = (pid: number, signal: NodeJS.Signals = "SIGKILL"): void => void process.kill(pid, signal);

test("a worker that dies is replaced, and who is with another notices nothing", async (t) => {
  const { process, http, grpc, admin, pidOf, haveServed, metric } = await serveWithWorkers(t);
  const agents = [new Agent({ keepAlive: true, maxSockets: 1 }), new Agent({ keepAlive: true, maxSockets: 1 })];
  t.teardown(() => agents.forEach((agent) => agent.destroy()));
  // One connection with each.
  for (const [index, agent] of agents.entries())
    t.is(await ask(agent, http, `first${index}`), `Hello, first${index}!\n`);
  const workerOf = async (path: string): Promise<number> =>
    Number((await process.logged(({ msg, ...line }) => msg === "Request" && line["path"] === path))["worker"]);
  const [doomed, other] = [await workerOf("/first0"), await workerOf("/first1")];
  t.not(doomed, other);

  kill(pidOf(doomed));
  const lost = await process.logged(({ msg }) => msg.startsWith("Worker lost"));
  t.like(lost, { level: "error", worker: doomed, code: null, signal: "SIGKILL" });
  for (let count = 0; count < 20; count++) t.is(await ask(agents[1]!, http, "second"), "Hello, second!\n");
  t.is(await workerOf("/second"), other);
  const client = createGreeterClient({ target: grpc, timeoutMs: 10_000 });
  t.teardown(() => client.close());
  t.is(await client.greet("Bob"), "Hello, Bob!");
  t.is((await send(admin, "/readyz")).status, 200);

  await haveServed(3);
  t.is(await metric("greeter_workers"), 2);
  t.is(await metric("greeter_workers_lost_total"), 1);
  const served = (): number => process.lines.filter(({ msg, worker }) => msg === "Request" && worker === doomed).length;
  const before = served();
  while (served() < before + 2) await send(http, "/third");
  t.pass("The replacement has its share of the connections");
});

test("what a dead worker has counted stays: no counter ever falls", async (t) => {
  const { http, pidOf, metric, haveServed } = await serveWithWorkers(t);
  for (let count = 0; count < 10; count++) await send(http, "/Ada");
  const requests = "http_server_request_duration_seconds_count";
  t.is(await metric(requests), 10);
  kill(pidOf(1));
  kill(pidOf(2));
  await haveServed(4);
  t.is(await metric(requests), 10);
  await send(http, "/Ada");
  t.is(await metric(requests), 11);
});

test("while no worker is there it is not ready, and a connection that comes waits for one", async (t) => {
  const { http, admin, pidOf } = await serveWithWorkers(t);
  kill(pidOf(1));
  kill(pidOf(2));
  while ((await send(admin, "/readyz")).status === 200);
  t.like(await send(admin, "/readyz"), { status: 503, body: "starting\n" });
  const answers = await Promise.all([1, 2, 3].map(() => asked(http)));
  t.deepEqual(answers, ["Hello, late!\n", "Hello, late!\n", "Hello, late!\n"]);
  t.is((await send(admin, "/readyz")).status, 200);
});

test("no new connection is lost with a worker that dies, whatever it was doing", async (t) => {
  const { http, pidOf, haveServed } = await serveWithWorkers(t, [], { count: 3 });
  const seen = { answered: 0, cut: 0 };
  const enough = new AbortController();
  const callers = Array.from({ length: 8 }, async () => {
    while (!enough.signal.aborted) {
      try {
        t.is((await send(http, "/Ada", { accept: "text/plain" })).body, "Hello, Ada!\n");
        seen.answered++;
      } catch {
        seen.cut++;
      }
    }
  });
  const reach = async (answered: number): Promise<void> => {
    while (seen.answered < answered) await new Promise(setImmediate);
  };
  for (let killed = 1; killed <= 3; killed++) {
    await reach(seen.answered + 50);
    kill(pidOf(killed));
    await haveServed(3 + killed);
  }
  enough.abort();
  // Each of them ends: none waits for an answer that never comes. With a worker die at most those that it had.
  await Promise.all(callers);
  t.true(seen.cut <= 3 * 8, `${seen.cut} of ${seen.answered} were cut off`);
});

test("a worker with an uncaught error drains, and its replacement does not wait for that", async (t) => {
  const env = { NODE_OPTIONS: `--import ${import.meta.dirname}/throw-on-signal.ts` };
  const { process, http, grpc, pidOf, haveServed } = await serveWithWorkers(t, ["--drain-timeout", "10s"], { env });
  const client = frameClient(grpc);
  const late = client.open("/greeter.v1.GreeterService/Greet");
  const answered = client.call("/greeter.v1.GreeterService/Greet", Buffer.alloc(0));
  while (!client.isAnswered(answered)) await new Promise(setImmediate);
  const doomed = Number((await process.logged(({ msg }) => msg === "Call"))["worker"]);
  const pid = pidOf(doomed);
  kill(pid, "SIGUSR2");
  await haveServed(3);
  t.false(process.lines.some(({ msg }) => msg.startsWith("Worker lost")));
  for (let count = 0; count < 4; count++) t.is((await send(http, "/Ada")).status, 200);
  client.send({ type: frameType.data, flags: 1, stream: late, payload: Buffer.alloc(5) });
  while (!client.isAnswered(late)) await new Promise(setImmediate);
  t.like(await process.logged(({ msg }) => msg.startsWith("Worker lost")), { pid, code: 1 });
  t.like(await process.logged(({ msg, worker }) => msg === "Stopped" && worker === doomed), { cut: 0, code: 1 });
});

test("a worker that is stuck is replaced, and the connection that it was offered goes to another", async (t) => {
  const { process, http, pidOf, haveServed } = await serveWithWorkers(t);
  kill(pidOf(1), "SIGSTOP");
  // One is offered to it, and both are answered in the end.
  t.deepEqual(await Promise.all([asked(http), asked(http)]), ["Hello, late!\n", "Hello, late!\n"]);
  const stuck = await process.logged(({ msg }) => msg.includes("does not answer"));
  t.like(stuck, { level: "error", worker: 1 });
  await haveServed(3);
  t.like(await process.logged(({ msg }) => msg.startsWith("Worker lost")), { worker: 1, signal: "SIGKILL" });
});

test("workers that run out of file descriptors live on, and take connections again when they have some", async (t) => {
  const { process, http, metric } = await serveWithWorkers(t, [], { openFiles: 64 });
  const closeAll = await exhaust(http);
  const late = asked(http);
  // Two heartbeats with no descriptor left.
  const heard = await Promise.race([late, sleep(2500, "nothing yet")]);
  t.not(heard, "Hello, late!\n");
  closeAll();
  const seen = (): number =>
    new Set(process.lines.filter(({ msg }) => msg === "Request").map(({ worker }) => worker)).size;
  while (seen() < 2) await asked(http);
  for (let count = 0; count < 8; count++) t.is(await asked(http), "Hello, late!\n");
  t.is(await metric("greeter_workers"), 2);
  t.is(await metric("greeter_workers_lost_total"), 0);
  t.deepEqual(
    process.lines.filter(({ level }) => level === "fatal" || level === "error"),
    [],
  );
});

test("a worker that ends while the primary process has no file descriptor is replaced when it has some", async (t) => {
  const env = { NODE_OPTIONS: `--import ${import.meta.dirname}/hold-files-on-signal.ts` };
  const { process, http, pidOf, haveServed } = await serveWithWorkers(t, [], { env, openFiles: 64 });
  process.kill("SIGUSR2");
  await process.logged(({ msg }) => msg.startsWith("Holds"));
  kill(pidOf(1));
  t.like(await process.logged(({ msg }) => msg.startsWith("Cannot replace")), { worker: 1, level: "error" });
  process.kill("SIGUSR2");
  await haveServed(3);
  t.is(await asked(http), "Hello, late!\n");
});

test("a drain waits for no connection that nobody can take", async (t) => {
  const { process, http } = await serveWithWorkers(t, ["--drain-timeout", "1h"], { openFiles: 64 });
  await exhaust(http);
  process.kill("SIGTERM");
  await process.ended;
  t.is(process.lines.at(-1)!.msg, "Stopped");
});

/** Opens as many idle connections as there are file descriptors for in three processes of 64, and then some. */
async function exhaust(http: string): Promise<() => void> {
  const idle: Socket[] = [];
  for (let count = 0; count < 200; count++) {
    const socket = connect(Number(new URL(http).port), "127.0.0.1").on("error", () => {});
    idle.push(socket);
    await new Promise((resolve) => socket.once("connect", resolve).once("close", resolve));
  }
  return () => idle.forEach((socket) => socket.destroy());
}

async function asked(http: string): Promise<string> {
  return (await send(http, "/late", { accept: "text/plain" }).catch(() => ({ body: "cut off" }))).body;
}

async function ask(agent: Agent, origin: string, name: string): Promise<string> {
  const message = request(new URL(name, origin), { agent, headers: { accept: "text/plain" } }).end();
  const [response] = (await once(message, "response")) as [Parameters<typeof text>[0]];
  return text(response);
}
