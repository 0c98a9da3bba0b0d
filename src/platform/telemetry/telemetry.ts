import type { BlockList, Server } from "node:net";
import type { BuildInfo } from "../build-info.ts";
import type { Readiness } from "../lifecycle/readiness.ts";
import { logLevel as parseLogLevel } from "../config/parsers.ts";
import { bounded, traceIds } from "./request.ts";
import type { AccessLog, Exchange } from "./request.ts";
import { readForwarded } from "./forwarded.ts";
import { grpcTelemetry } from "./grpc.ts";
import type { GrpcTelemetry } from "./grpc.ts";
import { httpTelemetry } from "./http.ts";
import type { HttpTelemetry } from "./http.ts";
import { preferredFormat } from "./exposition.ts";
import { createLog, terminalOutput } from "./log.ts";
import type { Log, Output } from "./log.ts";
import { createMetrics, durationBounds } from "./metrics.ts";
import type { Metrics } from "./metrics.ts";
import { measureRuntime } from "./runtime.ts";
import { tlsTelemetry } from "./tls.ts";
import type { TlsTelemetry } from "./tls.ts";
import { openTracing } from "./tracing.ts";

/** Metrics as they are sent. */
export interface Exposition {
  contentType: string;
  text: string;
}

/** What the service tells of itself: the one value that everything which has something to tell is given. */
export interface Telemetry {
  log: Log;
  http: HttpTelemetry;
  grpc: GrpcTelemetry;
  tls: TlsTelemetry;
  /** Hears of an error that the caller is not told about, and of the request or call that failed. */
  failed(error: unknown, request: string, exchange: Exchange): void;
  /** Hears of each delay of the event loop, in seconds. */
  eventLoopDelay: (seconds: number) => void;
  /** Counts the connections of a listener. */
  countConnections(protocol: string, listener: Server): void;
  /** The metrics, in the format that an Accept header prefers. */
  exposeMetrics(accept: string): Exposition;
  /**
   * Changes the least severe messages that are logged.
   * @throws {InvalidArgumentError} there is no such level
   */
  setLogLevel(level: string): void;
  /** Sends what has not been sent yet; undefined where nothing is sent anywhere. */
  close: (() => Promise<void>) | undefined;
}

export interface TelemetryOptions {
  logLevel: ReturnType<typeof parseLogLevel>;
  accessLog: AccessLog;
  /** Takes the log. */
  output: Output;
  readiness: Readiness;
  buildInfo: Promise<BuildInfo>;
  /** Whether it speaks TLS. */
  tls: boolean;
  /** The networks of the proxies that say whom they send. */
  trustedProxies: BlockList;
}

/**
 * Opens the log, the metrics and, where the environment names a receiver, the traces.
 * @throws {InvalidArgumentError} a variable of OpenTelemetry's is wrong
 */
export async function createTelemetry({
  logLevel,
  output,
  buildInfo,
  tls,
  trustedProxies,
  ...options
}: TelemetryOptions): Promise<Telemetry> {
  const log = createLog(logLevel, output.isTTY ? await terminalOutput(output) : output);
  const metrics = createMetrics();
  measureService(metrics, options.readiness, buildInfo);
  const tracing = await openTracing(log, async () => (await buildInfo).main.version);
  measureRuntime(metrics);
  const lateness = "How late the event loop came to its timers, in seconds.";
  const delay = metrics.histogram("nodejs_eventloop_delay_seconds", lateness, durationBounds).with();
  const connections = metrics.gauge("greeter_connections", "Open connections.");
  const accepted = metrics.counter("greeter_connections_accepted_total", "Connections that were opened.");
  const dropped = metrics.counter(
    "greeter_connections_dropped_total",
    "Connections that were closed at once, for there were too many.",
  );
  const late = metrics.counter(
    "greeter_drain_requests_total",
    "Requests and calls that began when the service was not ready any more.",
  );
  const observers = { ...options, metrics, late, log, tracing, forwarded: readForwarded(trustedProxies) };

  return {
    log,
    http: httpTelemetry(observers, tls ? "https" : "http"),
    grpc: grpcTelemetry(observers),
    tls: tlsTelemetry(metrics, log),
    failed: (error, request, { requestId, traceparent }) =>
      log.error(
        { err: error, request: bounded(request), request_id: requestId, ...traceIds(traceparent) },
        "Request failed",
      ),
    eventLoopDelay: (seconds) => delay.observe(seconds),
    countConnections: (protocol, listener) => {
      const open = connections.with({ protocol });
      const all = accepted.with({ protocol });
      listener.on("connection", (socket) => {
        open.value++;
        all.value++;
        socket.once("close", () => open.value--);
      });
      const tooMany = dropped.with({ protocol });
      listener.on("drop", () => tooMany.value++);
    },
    exposeMetrics: (accept) => {
      const format = preferredFormat(accept);
      return { contentType: format.contentType, text: format.write(metrics.read()) };
    },
    setLogLevel: (level) => {
      const next = parseLogLevel(level, "log level");
      if (next === log.level) return;
      // Before it: afterwards it may not be logged any more.
      log.warn({ from: log.level, to: next }, "Log level changed");
      log.level = next;
    },
    close: tracing && (() => tracing.close()),
  };
}

function measureService(metrics: Metrics, readiness: Readiness, buildInfo: Promise<BuildInfo>): void {
  const ready = metrics.gauge("greeter_ready", "Whether the service takes new requests: 1 or 0.").with();
  metrics.onRead(() => (ready.value = readiness.phase === "serving" ? 1 : 0));
  const build = metrics.gauge("greeter_build_info", "What is running; always 1.");
  const tell = ({ main, runtime, settings }: BuildInfo): void => {
    build.with({ version: main.version, revision: settings["vcs.revision"] ?? "", runtime }).value = 1;
  };
  buildInfo.then(tell, () => {});
}
