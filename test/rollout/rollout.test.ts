import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { buildInto } from "../bundle.ts";
import { listening, serveProcess } from "../process.ts";
import { startLoad } from "./load.ts";
import { clusterService } from "./service.ts";

const ROUNDS = 3;

test("a rolling restart under load loses no request on either protocol", async (t) => {
  const service = await clusterService();
  t.teardown(() => service.close());
  const folder = await mkdtemp(join(tmpdir(), "greeter-"));
  t.teardown(() => rm(folder, { recursive: true }));
  const program = [await buildInto(folder)];
  const start = async (): Promise<ReturnType<typeof serveProcess>> => {
    const greeter = serveProcess(t, ["--drain-delay", "500ms"], { program });
    await service.add(await listening(greeter));
    return greeter;
  };

  let old = await start();
  const load = startLoad(service);
  for (let round = 0; round < ROUNDS; round += 1) {
    const next = await start();
    const before = { ...load.answered };
    old.kill("SIGTERM");
    t.deepEqual(await old.ended, { code: 0, signal: null, err: "" });
    t.like(old.lines.at(-1), { msg: "Stopped", cut: 0, code: 0 });
    for (const [kind, count] of Object.entries(load.answered)) t.true(count > before[kind]!, `${kind} made progress`);
    old = next;
  }
  await load.stop();
  t.deepEqual(load.failures, []);
  t.log(load.answered);
});
