import { createClient } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { create, toBinary } from "@bufbuild/protobuf";
import { readFile } from "node:fs/promises";
import test from "ava";
import { serveProcess } from "../process.ts";
import { GreetRequestSchema } from "../../src/gen/greeter/v1/greeter_pb.ts";
import { Health, HealthCheckResponse_ServingStatus as ServingStatus } from "../../src/gen/health/v1/health_pb.ts";
import { frameClient, frameType } from "../grpc/frames.ts";
import { askWhileStopped } from "../backlog.ts";
import { send } from "../http/request.ts";
import { loadOn } from "./load.ts";
import { serveWithWorkers } from "./service.ts";

const greet = "/greeter.v1.GreeterService/Greet";
const request = Buffer.from(toBinary(GreetRequestSchema, create(GreetRequestSchema)));

test("while it drains, every health surface of every worker says so, and both protocols still answer", async (t) => {
  const { process, http, grpc, admin } = await serveWithWorkers(t, ["--drain-delay", "2s"]);
  const watches = [1, 2].map(() => {
    const baseUrl = `http://${grpc}`;
    const sessionManager = new Http2SessionManager(baseUrl);
    t.teardown(() => sessionManager.abort());
    return createClient(Health, createGrpcTransport({ baseUrl, sessionManager })).watch({})[Symbol.asyncIterator]();
  });
  for (const watch of watches) t.is((await watch.next()).value?.status, ServingStatus.SERVING);
  t.like(await send(admin, "/readyz"), { status: 200, body: "serving\n" });
  process.kill("SIGTERM");
  for (const watch of watches) t.is((await watch.next()).value?.status, ServingStatus.NOT_SERVING);
  t.like(await send(admin, "/readyz"), { status: 503, body: "draining\n" });
  t.is((await send(admin, "/livez")).status, 200);
  for (const accept of ["text/plain", "text/plain"]) {
    t.like(await send(http, "/Bob", { accept }), { status: 200, body: "Hello, Bob!\n" });
  }
  t.like(await process.ended, { code: 0, err: "" });
});

test("under load, a drain loses no request and no call", async (t) => {
  const { process, http, grpc } = await serveWithWorkers(t, ["--drain-delay", "1s"]);
  const load = loadOn({ http, grpc });
  await load.until(200);
  process.kill("SIGTERM");
  await process.logged(({ msg }) => msg.startsWith("Draining"));
  await load.stop();
  t.deepEqual(load.failures, []);
  t.like(await process.ended, { code: 0, err: "" });
  t.like(process.lines.at(-1), { msg: "Stopped", cut: 0, code: 0 });
});

test("everybody who has connected before the ports are closed gets an answer", async (t) => {
  const { process, http } = await serveWithWorkers(t);
  const answers = await askWhileStopped(process, http);
  t.deepEqual(answers, Array<string>(30).fill("HTTP/1.1 200 OK"));
  t.like(await process.ended, { code: 0, err: "" });
});

test("calls that outlast the drain timeout are cut off and counted over all workers, and the exit code is 1", async (t) => {
  const { process, grpc } = await serveWithWorkers(t, ["--drain-timeout", "300ms"]);
  for (const client of [frameClient(grpc), frameClient(grpc)]) {
    client.open(greet);
    const answered = client.call(greet, request);
    while (!client.isAnswered(answered)) await new Promise(setImmediate);
  }
  process.kill("SIGTERM");
  t.like(await process.ended, { code: 1 });
  t.like(process.lines.at(-1), { msg: "Stopped", cut: 2, code: 1 });
});

test("a worker that is killed in the drain makes the exit code 1, but is no request that was cut off", async (t) => {
  const { process, pidOf } = await serveWithWorkers(t, ["--drain-delay", "1s"]);
  process.kill("SIGTERM");
  await process.logged(({ msg, worker }) => msg.startsWith("Draining") && worker === 1);
  globalThis.process.kill(pidOf(1), "SIGKILL");
  t.like(await process.ended, { code: 1, err: "" });
  t.like(process.lines.at(-1), { msg: "Stopped", cut: 0, code: 1 });
});

test("a signal to all of its processes, as a terminal and systemd send it, is one to it", async (t) => {
  const { process, http, grpc, pidOf } = await serveWithWorkers(t, ["--drain-delay", "500ms"]);
  const load = loadOn({ http, grpc });
  await load.until(100);
  for (const pid of [pidOf(1), pidOf(2), process.pid]) globalThis.process.kill(pid, "SIGINT");
  await process.logged(({ msg }) => msg.startsWith("Draining"));
  await load.stop();
  t.deepEqual(load.failures, []);
  t.like(await process.ended, { code: 0, err: "" });
});

test("a second signal ends it and its workers at once", async (t) => {
  const { process, pidOf } = await serveWithWorkers(t, ["--drain-delay", "1h"]);
  const pids = [pidOf(1), pidOf(2)];
  process.kill("SIGTERM");
  await process.logged(({ msg, worker }) => msg.startsWith("Draining") && worker === undefined);
  process.kill("SIGTERM");
  t.like(await process.ended, { code: 143 });
  for (const pid of pids) await t.throwsAsync(gone(pid), { code: "ESRCH" });
});

test("workers whose primary process is gone finish what they have, and end", async (t) => {
  const { process, grpc, pidOf } = await serveWithWorkers(t);
  const pids = [pidOf(1), pidOf(2)];
  const client = frameClient(grpc);
  const answered = client.call(greet, request);
  while (!client.isAnswered(answered)) await new Promise(setImmediate);
  const late = client.open(greet);
  process.kill("SIGKILL");
  client.send({ type: frameType.data, flags: 1, stream: late, payload: Buffer.alloc(5) });
  while (!client.isAnswered(late)) await new Promise(setImmediate);
  for (const pid of pids) await t.throwsAsync(gone(pid), { code: "ESRCH" });
});

test("workers that were still starting when their primary process died end, too", async (t) => {
  const service = serveProcess(t, ["--workers", "2"]);
  await service.logged(({ msg }) => msg === "Worker serves");
  // The second one starts now.
  const children = (await readFile(`/proc/${service.pid}/task/${service.pid}/children`, "utf8")).trim().split(" ");
  service.kill("SIGKILL");
  for (const pid of children) await t.throwsAsync(gone(Number(pid)), { code: "ESRCH" });
});

/** Rejects when there is no such process any more. */
async function gone(pid: number): Promise<void> {
  for (;;) {
    globalThis.process.kill(pid, 0);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
