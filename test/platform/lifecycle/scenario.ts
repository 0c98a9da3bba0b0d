// A process that runs one scenario of its lifecycle, named by its argument, for lifecycle.test.ts. It has no real server.
import { once } from "node:events";
import { run } from "../../../src/platform/lifecycle/lifecycle.ts";
import type { Server } from "../../../src/platform/lifecycle/lifecycle.ts";
import { shutdownRequest } from "../../../src/platform/lifecycle/shutdown.ts";
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

const servers: Record<string, Server> = {
  "signal during start": server("slow", {
    start: async () => {
      log.info("Starting");
      await once(process, "SIGTERM");
      return "nowhere";
    },
  }),
  "failed start": server("broken", { start: async () => Promise.reject(new Error("No port")) }),
  "thrown error": server("thrower"),
  "rejected promise": server("rejecter"),
};

/** Failures after the start. */
const failures: Record<string, () => void> = {
  "thrown error": () => {
    throw new Error("Thrown", { cause: new Error("The cause") });
  },
  "rejected promise": () => void Promise.reject(new Error("Rejected")),
};

const [, , scenario = "", drainDelayMs = "100"] = process.argv;
try {
  process.exitCode = await run({
    adminServers: [server("admin")],
    servers: [servers[scenario]!],
    drainDelayMs: Number(drainDelayMs),
    drainTimeoutMs: 1000,
    onServing: () => {
      log.info("Ready");
      process.on("SIGTERM", () => log.info("Signal"));
      const fail = failures[scenario];
      if (fail) setImmediate(fail);
    },
    onDraining: () => log.info("Not ready"),
    stop: shutdownRequest(log),
    log,
  });
} catch (error) {
  log.error({ err: error }, "Not started");
  process.exitCode = 1;
}
clearInterval(keepAlive);
