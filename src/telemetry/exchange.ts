import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Readiness } from "../readiness.ts";
import type { Log } from "./log.ts";
import type { Histogram, Metrics, Value } from "./metrics.ts";
import { spanIdOf, traceContext, traceIdOf } from "./trace-context.ts";
import type { SpanAttributes, Tracing } from "./tracing.ts";

/** Which requests and calls are logged. */
export type AccessLog = "all" | "errors" | "off";

/** A request or a call that is being served. */
export interface Exchange {
  /** The caller's own `x-request-id` where it is well formed, otherwise one that was made for it. */
  readonly requestId: string;
  /** The trace that it belongs to, to be passed on to whoever is asked on its behalf; undefined where it belongs to none. */
  readonly traceparent: string | undefined;
}

/** What both protocols tell of a request or call as it begins. */
export interface Arrival {
  headers: IncomingHttpHeaders;
  /** The connection that it came on. */
  socket: { remoteAddress?: string | undefined; remotePort?: number | undefined };
}

interface Beginning extends Arrival {
  protocol: "http" | "grpc";
  method: string;
  /** The caller's own text, where that says more than the method. */
  path: string | undefined;
  active: Value;
  span: () => { name: string; attributes: SpanAttributes };
}

interface Ending {
  duration: Histogram;
  status: string;
  route?: string;
  /** How much was answered, in bytes: of the body, or of the messages. */
  bytes: number;
  level: "debug" | "info" | "warn" | "error";
  /** What class of error of this service it was; undefined where it was none. */
  error: string | undefined;
  span: () => { name?: string; attributes: SpanAttributes };
}

/** Tells of a request or call when it ends: to the log, the metrics and the trace. */
export interface Begun extends Exchange {
  end(ending: Ending): void;
}

/** What every request and call is told to. */
export interface Observers {
  metrics: Metrics;
  log: Log;
  accessLog: AccessLog;
  tracing: Tracing | undefined;
  readiness: Readiness;
}

/** Follows requests and calls from their beginning to their end, in the same terms. */
export function followExchanges({
  metrics,
  log,
  accessLog,
  tracing,
  readiness,
}: Observers): (start: Beginning) => Begun {
  const late = metrics.counter(
    "greeter_drain_requests_total",
    "Requests and calls that began when the service was not ready any more.",
  );
  const lateBy = { http: late.with({ protocol: "http" }), grpc: late.with({ protocol: "grpc" }) };

  return ({ protocol, method, path, headers, socket, active, span: describe }) => {
    const start = performance.now();
    const requestId = requestIdOf(headers["x-request-id"]);
    const parent = traceContext(headers["traceparent"], headers["tracestate"]);
    const span = tracing?.start({ kind: "server", parent, ...describe() });
    const traceparent = span?.traceparent ?? parent?.traceparent;
    // Read now: a closed connection does not tell any more.
    const peer = peerOf(socket);
    active.value++;
    if (readiness.phase === "draining") lateBy[protocol].value++;

    return {
      requestId,
      traceparent,
      end: ({ duration, status, route, bytes, level, error, span: describeEnd }) => {
        const milliseconds = performance.now() - start;
        active.value--;
        duration.observe(milliseconds / 1000);
        span?.end({ ...describeEnd(), error });
        if (accessLog === "off" || (accessLog === "errors" && (level === "debug" || level === "info"))) return;
        const line = {
          protocol,
          method,
          route,
          path: path === undefined ? undefined : bounded(path),
          status,
          duration_ms: Math.round(milliseconds * 1000) / 1000,
          bytes,
          peer,
          request_id: requestId,
          ...traceIds(traceparent),
        };
        log[level](line, protocol === "http" ? "Request" : "Call");
      },
    };
  };
}

/** The ids of the trace and of the span in it, as the log has them. */
export function traceIds(traceparent: string | undefined): { trace_id?: string; span_id?: string } {
  if (traceparent === undefined) return {};
  return { trace_id: traceIdOf(traceparent), span_id: spanIdOf(traceparent) };
}

function requestIdOf(given: string | string[] | undefined): string {
  return typeof given === "string" && /^[\w.~+/=:@-]{1,128}$/.test(given) ? given : randomUUID();
}

function peerOf({ remoteAddress = "", remotePort = 0 }: Arrival["socket"]): string {
  return remoteAddress.includes(":") ? `[${remoteAddress}]:${remotePort}` : `${remoteAddress}:${remotePort}`;
}

/** A caller's text for the log: not too much of it, and nothing that does more to a screen than stand there. */
export function bounded(text: string): string {
  const escape = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  const printable = /^[\x20-\x7e]*$/.test(text) ? text : text.replaceAll(/[^\x20-\x7e]/g, escape);
  return printable.length > 256 ? `${printable.slice(0, 256)}…` : printable;
}
