// A process that lives through one scenario of its lifecycle, named by its argument: test/lifecycle.test.ts starts it.
import { once } from "node:events";
import { run } from "../../../src/platform/lifecycle/lifecycle.ts";
import { stopRequest } from "../../../src/platform/lifecycle/shutdown.ts";
import type { Server } from "../../../src/platform/lifecycle/lifecycle.ts";
import { createLog } from "../../../src/platform/telemetry/log.ts";

const log = createLog("info", process.stdout);
const keepAlive = setInterval(() => {}, 1000);

function server(protocol: string, overrides: Partial<Server> = {}): Server {
  return {
    protocol,
    start: async () => "nowhere",
    drain: async () => {},
    cut: async () => {
      log.info({ protocol }, "Cut");
      return 0;
    },
    ...overrides,
  };
}

const scenarios: Record<string, Server> = {
  "signal during start": server("slow", {
    start: async () => {
      log.info("Starting");
      await once(process, "SIGTERM");
      return "nowhere";
    },
  }),
  "failed start": server("broken", { start: async () => Promise.reject(new Error("No port")) }),
  "thrown error": server("fine", {
    start: async () => {
      setTimeout(() => {
        throw new Error("Thrown", { cause: new Error("The cause") });
      }, 10);
      return "nowhere";
    },
  }),
  "rejected promise": server("fine", {
    start: async () => {
      setTimeout(() => void Promise.reject(new Error("Rejected")), 10);
      return "nowhere";
    },
  }),
};

try {
  const { code } = await run({
    observers: [server("observer")],
    servers: [scenarios[process.argv[2]!]!],
    drainDelayMs: Number(process.argv[3] ?? 100),
    drainTimeoutMs: 1000,
    onServing: () => log.info("Ready"),
    onDraining: () => log.info("Not ready"),
    stop: stopRequest(log),
    log,
  });
  process.exitCode = code;
} catch (error) {
  log.error({ err: error }, "Not started");
  process.exitCode = 1;
}
clearInterval(keepAlive);
