import { createAdminApp } from "./admin/app.ts";
import { watchEventLoop } from "./admin/liveness.ts";
import { createAdminServer } from "./admin/server.ts";
import { readBuildInfo } from "./build-info.ts";
import type { Config } from "./config.ts";
import { run } from "./lifecycle.ts";
import { createReadiness } from "./readiness.ts";
import { serverAt } from "./server-at.ts";
import { stopRequest } from "./stop.ts";
import type { Output } from "./telemetry/log.ts";
import { prettyOutput } from "./telemetry/pretty.ts";
import { createTelemetry } from "./telemetry/telemetry.ts";
import { createDistributor } from "./workers/distributor.ts";
import { createPool } from "./workers/pool.ts";
import { startWorker } from "./workers/process.ts";

/**
 * Serves with several processes: workers, each of which is {@link serve} without the admin port, and this one, which has the admin
 * port, hands every new connection to the next worker, and replaces those that are lost.
 * @param output takes the log, of the workers too
 * @returns the exit code
 * @throws {InvalidArgumentError} a variable of OpenTelemetry's is wrong, or a file of TLS
 * @throws {Error} it could not start; no port is left open, and no worker is left
 */
export async function supervise(config: Config, output: Output): Promise<number> {
  const readiness = createReadiness();
  const telemetry = await createTelemetry({
    logLevel: config.logLevel,
    accessLog: config.accessLog,
    output,
    readiness,
    buildInfo: readBuildInfo(),
    tls: config.tlsCert !== "",
    trustedProxies: config.trustProxy,
  });
  const { log } = telemetry;
  process.on("exit", () => log.flush());
  const stop = stopRequest(log);

  const lines = output.isTTY ? prettyOutput(output) : output;
  // A worker sits at no terminal, so it would take another default.
  const env = { GREETER_DRAIN_DELAY: `${config.drainDelay}ms` };
  const maxWaiting = config.maxConnections * config.workers;
  const grpc = createDistributor("grpc", maxWaiting);
  const http = createDistributor("http", maxWaiting);
  const pool = createPool({
    count: config.workers,
    startWorker: (worker) => startWorker(worker, env, lines),
    distributors: [grpc, http],
    telemetry: telemetry.workers,
    onFailed: stop.fail,
  });

  const admin = createAdminServer(
    createAdminApp({
      readiness: {
        get phase() {
          return readiness.phase === "serving" && pool.serving === 0 ? "starting" : readiness.phase;
        },
      },
      liveness: watchEventLoop({ onDelay: telemetry.eventLoopDelay }),
      telemetry: {
        log,
        exposeMetrics: async (accept) => telemetry.exposeMetrics(accept, await pool.readMetrics()),
        setLogLevel: (level) => {
          telemetry.setLogLevel(level);
          pool.setLogLevel(level);
        },
      },
    }),
  );
  telemetry.countConnections("admin", admin.listener);
  telemetry.countDrops("grpc", grpc.listener);
  telemetry.countDrops("http", http.listener);

  const { code } = await run({
    observers: [serverAt("admin", admin, config.adminAddr)],
    // The ports first, for one may be in use. Whoever connects waits until a worker serves.
    servers: [serverAt("grpc", grpc, config.grpcAddr), serverAt("http", http, config.addr), pool],
    drainDelayMs: config.drainDelay,
    drainTimeoutMs: config.drainTimeout,
    onServing: () => readiness.enter("serving"),
    onDraining: () => {
      readiness.enter("draining");
      pool.stop(stop.reason);
    },
    close: telemetry.close,
    stop,
    log,
  });
  log.flush();
  return code;
}
