import { createAdminApp } from "./admin/app.ts";
import { watchEventLoop } from "./admin/liveness.ts";
import { createAdminServer } from "./admin/server.ts";
import { readBuildInfo, type BuildInfo } from "./build-info.ts";
import type { PlatformConfig } from "./config/settings.ts";
import { createAdmission, type Admission } from "./lifecycle/admission.ts";
import { run } from "./lifecycle/lifecycle.ts";
import { createReadiness, type Readiness } from "./lifecycle/readiness.ts";
import { serverAt, type ListeningServer } from "./lifecycle/server-at.ts";
import { shutdownRequest } from "./lifecycle/shutdown.ts";
import type { Output } from "./telemetry/log.ts";
import { createTelemetry, type Telemetry } from "./telemetry/telemetry.ts";
import { openTls, type Tls } from "./tls/tls.ts";

/** Everything that the servers of all services share. */
export interface Platform {
  config: PlatformConfig;
  readiness: Readiness;
  admission: Admission;
  telemetry: Telemetry;
  /** Undefined for plaintext. */
  tls: Tls | undefined;
  /** Returns the build information, which is read once. */
  buildInfo: () => Promise<BuildInfo>;
  /**
   * Binds the ports, serves until the process is told to stop, and drains.
   * @returns exit code: 0, or 1 if a request was cut off or an error was uncaught
   * @throws {Error} a port cannot be bound; no port is left open
   */
  run(servers: { grpc: ListeningServer; http: ListeningServer }): Promise<number>;
}

/** The parts of the platform that a server uses. */
export type ServerDependencies = Omit<Platform, "buildInfo" | "run">;

/**
 * Creates the platform: telemetry, readiness, admission and TLS.
 * @param output destination of the log
 * @throws {ServiceError} INVALID_ARGUMENT: a file of TLS or a variable of OpenTelemetry is invalid
 */
export async function createPlatform(config: PlatformConfig, output: Output): Promise<Platform> {
  const readiness = createReadiness();
  const buildInfo = readBuildInfo();
  const telemetry = await createTelemetry({
    logLevel: config.logLevel,
    accessLog: config.accessLog,
    output,
    readiness,
    buildInfo,
    tls: config.tlsCert !== "",
    trustedProxies: config.trustProxy,
  });
  const { log } = telemetry;
  const { reusePort } = config;
  // A second signal ends the process at once.
  process.on("exit", () => log.flush());
  buildInfo.catch((error: unknown) => log.warn({ err: error }, "No build information"));
  const tls = await openTls(config, telemetry.tls);

  return {
    config,
    readiness,
    admission: createAdmission(config.maxInFlight),
    telemetry,
    tls,
    buildInfo: () => buildInfo,
    run: async ({ grpc, http }) => {
      const liveness = watchEventLoop({ onDelay: telemetry.eventLoopDelay });
      const admin = createAdminServer(createAdminApp({ readiness, liveness, telemetry }));
      for (const [protocol, { listener }] of Object.entries({ grpc, http, admin })) {
        telemetry.countConnections(protocol, listener);
      }
      const code = await run({
        adminServers: [serverAt("admin", admin, config.adminAddr, { flag: "--admin-addr" })],
        servers: [
          serverAt("grpc", grpc, config.grpcAddr, { reusePort, flag: "--grpc-addr" }),
          serverAt("http", http, config.addr, { reusePort, flag: "--addr" }),
        ],
        drainDelayMs: config.drainDelay,
        drainTimeoutMs: config.drainTimeout,
        onServing: () => readiness.enter("serving"),
        onDraining: () => readiness.enter("draining"),
        close: telemetry.close,
        stop: shutdownRequest(log),
        log,
      });
      log.flush();
      return code;
    },
  };
}
