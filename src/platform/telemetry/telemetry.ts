import type { BlockList, Server } from "node:net";
import type { BuildInfo } from "../build-info.ts";
import { logLevel as parseLogLevel } from "../config/parsers.ts";
import type { PlatformConfig } from "../config/settings.ts";
import { identity } from "../identity.ts";
import type { Readiness } from "../lifecycle/readiness.ts";
import { preferredFormat } from "./exposition.ts";
import { readForwarded } from "./forwarded.ts";
import { grpcTelemetry, type GrpcTelemetry } from "./grpc.ts";
import { httpTelemetry, type HttpTelemetry } from "./http.ts";
import { createLog, terminalOutput, type Log, type Output } from "./log.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import { measureRuntime } from "./runtime.ts";
import { tlsTelemetry, type TlsTelemetry } from "./tls.ts";
import { openTracing } from "./tracing.ts";

/** Log, metrics and tracing, shared by all components. */
export interface Telemetry {
  log: Log;
  http: HttpTelemetry;
  grpc: GrpcTelemetry;
  tls: TlsTelemetry;
  eventLoopDelay: (seconds: number) => void;
  countConnections(protocol: string, listener: Server): void;
  /** Returns the metrics in the exposition format that an Accept header prefers. */
  exposeMetrics(accept: string): { contentType: string; text: string };
  /** @throws {ServiceError} INVALID_ARGUMENT: no such level */
  setLogLevel(level: string): void;
  /** Exports the spans that are still queued; undefined without tracing. */
  close: (() => Promise<void>) | undefined;
}

export interface TelemetryOptions {
  logLevel: PlatformConfig["logLevel"];
  accessLog: PlatformConfig["accessLog"];
  output: Output;
  readiness: Readiness;
  buildInfo: Promise<BuildInfo>;
  /** Whether the ports use TLS. */
  tls: boolean;
  /** Networks of the proxies whose forwarded headers are trusted. */
  trustedProxies: BlockList;
}

const prefix = identity.metricPrefix;

/**
 * Creates the log, the metrics and, if the environment names an OTLP endpoint, the tracing.
 * @throws {ServiceError} INVALID_ARGUMENT: a variable of OpenTelemetry is invalid
 */
export async function createTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  const { output, accessLog, readiness, buildInfo } = options;
  const log = createLog(options.logLevel, output.isTTY ? await terminalOutput(output) : output);
  const metrics = createMetrics();
  measureService(metrics, readiness, buildInfo);
  const tracing = await openTracing(log, async () => (await buildInfo).main.version);
  measureRuntime(metrics);
  const lateness = "Delay of the event loop's timers, in seconds.";
  const delay = metrics.histogram("nodejs_eventloop_delay_seconds", lateness).with();
  const connections = metrics.gauge(`${prefix}connections`, "Open connections.");
  const accepted = metrics.counter(`${prefix}connections_accepted_total`, "Accepted connections.");
  const rejections = "Connections rejected at the connection limit.";
  const dropped = metrics.counter(`${prefix}connections_dropped_total`, rejections);
  const late = metrics.counter(`${prefix}drain_requests_total`, "Requests and calls that started during the drain.");
  const forwarded = readForwarded(options.trustedProxies);
  const dependencies = { metrics, late, log, accessLog, tracing, readiness, forwarded };

  return {
    log,
    http: httpTelemetry(dependencies, options.tls ? "https" : "http"),
    grpc: grpcTelemetry(dependencies),
    tls: tlsTelemetry(metrics, log),
    eventLoopDelay: (seconds) => delay.observe(seconds),
    countConnections: (protocol, listener) => {
      const open = connections.with({ protocol });
      const all = accepted.with({ protocol });
      const rejected = dropped.with({ protocol });
      listener.on("connection", (socket) => {
        open.value++;
        all.value++;
        socket.once("close", () => open.value--);
      });
      listener.on("drop", () => rejected.value++);
    },
    exposeMetrics: (accept) => {
      const format = preferredFormat(accept);
      return { contentType: format.contentType, text: format.write(metrics.read()) };
    },
    setLogLevel: (level) => {
      const next = parseLogLevel(level, "log level");
      if (next === log.level) return;
      // Logged first, because the new level may suppress it.
      log.warn({ from: log.level, to: next }, "Log level changed");
      log.level = next;
    },
    close: tracing && (() => tracing.close()),
  };
}

function measureService(metrics: Metrics, readiness: Readiness, buildInfo: Promise<BuildInfo>): void {
  const ready = metrics.gauge(`${prefix}ready`, "Readiness: 1 or 0.").with();
  metrics.onRead(() => (ready.value = Number(readiness.phase === "serving")));
  const build = metrics.gauge(`${prefix}build_info`, "Build information; the value is always 1.");
  const record = ({ main, runtime, settings }: BuildInfo): void => {
    build.with({ version: main.version, revision: settings["vcs.revision"] ?? "", runtime }).value = 1;
  };
  buildInfo.then(record, () => {});
}
