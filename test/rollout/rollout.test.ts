import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { buildInto } from "../bundle.ts";
import { listening, serveProcess } from "../process.ts";
import { startLoad } from "./load.ts";
import { replaceUnderLoad } from "./replace.ts";
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

  const old = await start();
  const load = startLoad(service);
  await replaceUnderLoad(t, { old, start, load, times: ROUNDS });
});
