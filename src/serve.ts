import { createAdminApp } from "./platform/admin/app.ts";
import { watchEventLoop } from "./platform/admin/liveness.ts";
import { createAdminServer } from "./platform/admin/server.ts";
import { readBuildInfo } from "./platform/build-info.ts";
import type { Config } from "./platform/config/config.ts";
import { createAdmission } from "./platform/lifecycle/admission.ts";
import { createGreeter } from "./greeter/greeter.ts";
import { createGrpcServer } from "./platform/grpc/server.ts";
import { createApp } from "./platform/http/app.ts";
import { createHttpServer } from "./platform/http/server.ts";
import { run } from "./platform/lifecycle/lifecycle.ts";
import { createReadiness } from "./platform/lifecycle/readiness.ts";
import { serverAt } from "./platform/lifecycle/server-at.ts";
import { stopRequest } from "./platform/lifecycle/shutdown.ts";
import type { Output } from "./platform/telemetry/log.ts";
import { createTelemetry } from "./platform/telemetry/telemetry.ts";
import { openTls } from "./platform/tls/tls.ts";

/**
 * Builds the service from the inside out, binds its ports last, and serves until the process is told to stop.
 * This is the one place that knows every part of it.
 * @param output takes the log
 * @returns the exit code
 * @throws {InvalidArgumentError} a variable of OpenTelemetry's is wrong
 * @throws {Error} it could not start; no port is left open
 */
export async function serve(config: Config, output: Output): Promise<number> {
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
  // Also where a second signal ends it at once.
  process.on("exit", () => log.flush());
  buildInfo.catch((error: unknown) => log.warn({ err: error }, "No build information"));

  const greeter = createGreeter({ greeting: config.greeting, buildInfo: () => buildInfo });
  const liveness = watchEventLoop({ onDelay: telemetry.eventLoopDelay });

  const admission = createAdmission(config.maxInFlight);
  const tls = config.tlsCert
    ? await openTls(
        { cert: config.tlsCert, key: config.tlsKey, clientCa: config.tlsClientCa, clientAuth: config.tlsClientAuth },
        config.handshakeTimeout,
        telemetry.tls,
      )
    : undefined;

  const grpc = createGrpcServer({
    greeter,
    readiness,
    telemetry,
    admission,
    tls,
    reflection: config.reflection,
    maxConnections: config.maxConnections,
    maxConcurrentStreams: config.grpcMaxConcurrentStreams,
    maxMessageSize: config.grpcMaxMessageSize,
    maxMetadataSize: config.grpcMaxMetadataSize,
    maxTimeoutMs: config.grpcMaxTimeout,
    handshakeTimeoutMs: config.handshakeTimeout,
    maxAgeMs: config.grpcMaxConnectionAge,
    maxAgeGraceMs: config.grpcMaxConnectionAgeGrace,
    maxIdleMs: config.grpcMaxConnectionIdle,
    keepaliveTimeMs: config.grpcKeepaliveTime,
    keepaliveTimeoutMs: config.grpcKeepaliveTimeout,
  });
  const http = createHttpServer({
    app: createApp({ greeter, telemetry, maxUrlSize: config.httpMaxUrlSize }),
    telemetry: telemetry.http,
    readiness,
    admission,
    tls,
    maxConnections: config.maxConnections,
    maxHeaderSize: config.httpMaxHeaderSize,
    maxRequestsPerConnection: config.httpMaxRequestsPerConnection,
    sendTimeoutMs: config.httpSendTimeout,
    keepAliveTimeoutMs: config.httpKeepAliveTimeout,
    headersTimeoutMs: config.httpHeadersTimeout,
  });
  const admin = createAdminServer(createAdminApp({ readiness, liveness, telemetry }));

  for (const [protocol, { listener }] of Object.entries({ grpc, http, admin })) {
    telemetry.countConnections(protocol, listener);
  }

  const { code } = await run({
    observers: [serverAt("admin", admin, config.adminAddr)],
    servers: [serverAt("grpc", grpc, config.grpcAddr, config), serverAt("http", http, config.addr, config)],
    drainDelayMs: config.drainDelay,
    drainTimeoutMs: config.drainTimeout,
    onServing: () => readiness.enter("serving"),
    onDraining: () => readiness.enter("draining"),
    close: telemetry.close,
    stop: stopRequest(log),
    log,
  });
  log.flush();
  return code;
}
