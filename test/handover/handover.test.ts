import { readFileSync } from "node:fs";
import test from "ava";
import { freePort } from "../free-port.ts";
import { listening, serveProcess } from "../process.ts";
import type { LoggingProcess } from "../process.ts";
import { replaceUnderLoad } from "../rollout/replace.ts";
import { startLoad } from "./load.ts";

const HANDOVERS = 8;

test("an upgrade in place loses no request: a new process starts on the ports, then the old one drains", async (t) => {
  const migrate = readFileSync("/proc/sys/net/ipv4/tcp_migrate_req", "utf8").trim();
  t.is(migrate, "1", "Expected net.ipv4.tcp_migrate_req = 1: npm run test:handover sets it");
  const [http, grpc] = await Promise.all([freePort(), freePort()]);
  const ports = ["--addr", `127.0.0.1:${http}`, "--grpc-addr", `127.0.0.1:${grpc}`];
  const start = async (): Promise<LoggingProcess> => {
    // The delay moves clients on kept connections to the new process.
    const greeter = serveProcess(t, [...ports, "--reuse-port", "--drain-delay", "500ms", "--access-log", "errors"]);
    await listening(greeter);
    await greeter.logged(({ msg }) => msg === "Serving");
    return greeter;
  };

  const old = await start();
  const load = startLoad({ http: `http://127.0.0.1:${http}`, grpc: `127.0.0.1:${grpc}` });
  await replaceUnderLoad(t, { old, start, load, times: HANDOVERS });
});
