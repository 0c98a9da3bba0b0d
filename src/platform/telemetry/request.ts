import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Socket } from "node:net";
import { formatAddress } from "../config/address.ts";
import type { PlatformConfig } from "../config/settings.ts";
import type { RequestContext, RequestLog } from "../context.ts";
import type { Readiness } from "../lifecycle/readiness.ts";
import type { Forwarded } from "./forwarded.ts";
import type { Level, Log } from "./log.ts";
import type { Family, Histogram, Metrics, Value } from "./metrics.ts";
import { escapeCodeUnits } from "../text.ts";
import { spanIdOf, traceContext, traceIdOf } from "./trace-context.ts";
import type { SpanAttributes, Tracing } from "./tracing.ts";

/** Label of an unknown method or route, by OpenTelemetry's semantic conventions. */
export const OTHER = "_OTHER";

/** Ids and log of a request or call in flight. The id is the caller's `x-request-id` if it is well formed. */
export type RequestRecord = Pick<RequestContext, "requestId" | "traceparent" | "log">;

/** Facts known when a request or call starts, on every protocol. */
export type RequestStart = { headers: IncomingHttpHeaders; socket: Pick<Socket, "remoteAddress" | "remotePort"> };

/** Facts known when it ends: the size of the response body, or of the response messages. */
export type RequestEnd = { bytes: number };

/** Everything that the requests of one method, route and status share. It is memoized, because creating it is expensive. */
interface RequestResult {
  duration: Histogram;
  level: Level;
  /** Error class of a server error; undefined otherwise. */
  error: string | undefined;
  /** Fields of the access log, as JSON without braces. */
  fields: string;
}

/** Maps the requests of a protocol to metric labels, log fields and span attributes. */
interface RequestMapping<S extends RequestStart, E extends RequestEnd> {
  protocol: "http" | "grpc";
  active(start: S, forwarded: Forwarded): Value;
  result(start: S, end: E, forwarded: Forwarded): RequestResult;
  /** Path as the caller sent it; undefined if the method names it. */
  path(start: S): string | undefined;
  spanName(start: S, end?: E): string;
  startAttributes(start: S, forwarded: Forwarded): SpanAttributes;
  endAttributes(end: E): SpanAttributes;
}

export interface RecorderDependencies {
  metrics: Metrics;
  /** Counts the requests that start during the drain, by protocol. */
  late: Family<Value>;
  log: Log;
  /** Requests and calls that the access log records. */
  accessLog: PlatformConfig["accessLog"];
  tracing: Tracing | undefined;
  readiness: Readiness;
  forwarded: (start: RequestStart) => Forwarded;
}

/** Creates the recorder of a protocol's requests: metrics, access log and traces. */
export function createRecorder<S extends RequestStart, E extends RequestEnd>(
  { log, accessLog, tracing, readiness, ...dependencies }: RecorderDependencies,
  mapping: RequestMapping<S, E>,
): (start: S) => RequestRecord & { end: (end: E) => void } {
  const late = dependencies.late.with({ protocol: mapping.protocol });
  const message = mapping.protocol === "http" ? "Request" : "Call";

  return (start) => {
    const startTime = performance.now();
    const requestId = requestIdOf(start.headers["x-request-id"]);
    const forwarded = dependencies.forwarded(start);
    const { client } = forwarded;
    // A closed socket has no address, so it is read now.
    const { remoteAddress, remotePort } = start.socket;
    const peer = formatAddress({ host: remoteAddress ?? "", port: remotePort ?? 0 });
    const parent = traceContext(start.headers["traceparent"], start.headers["tracestate"]);
    const span = tracing?.start({
      name: mapping.spanName(start),
      kind: "server",
      parent,
      attributes: {
        ...mapping.startAttributes(start, forwarded),
        "client.address": client,
        "network.peer.address": remoteAddress,
        "network.peer.port": remotePort,
      },
    });
    const traceparent = span?.traceparent ?? parent?.traceparent;
    const active = mapping.active(start, forwarded);
    active.value++;
    if (readiness.phase === "draining") late.value++;

    const recordEnd = (end: E): void => {
      const milliseconds = performance.now() - startTime;
      const { duration, level, error, fields } = mapping.result(start, end, forwarded);
      active.value--;
      duration.observe(milliseconds / 1000);
      span?.end({ name: mapping.spanName(start, end), attributes: mapping.endAttributes(end), error });
      if (accessLog === "off" || (accessLog === "errors" && (level === "debug" || level === "info"))) return;
      const { bytes } = end;
      const record = { fields, path: mapping.path(start), milliseconds, bytes, peer, client, requestId, traceparent };
      log.writeAccessLog(level, message, record, formatRecord);
    };
    return new OpenRequest(log, requestId, traceparent, recordEnd);
  };
}

/** A class, because V8 keeps the getter of an object literal, and with it the whole request, until the next full collection. */
class OpenRequest<E extends RequestEnd> implements RequestRecord {
  readonly requestId: string;
  readonly traceparent: string | undefined;
  readonly end: (end: E) => void;
  readonly #log: Log;

  constructor(log: Log, requestId: string, traceparent: string | undefined, end: (end: E) => void) {
    this.#log = log;
    this.requestId = requestId;
    this.traceparent = traceparent;
    this.end = end;
  }

  get log(): RequestLog {
    const { requestId, traceparent } = this;
    const trace = traceparent && { trace_id: traceIdOf(traceparent), span_id: spanIdOf(traceparent) };
    return this.#log.child({ request_id: requestId, ...trace });
  }
}

type AccessLogRecord = Record<"fields" | "peer" | "requestId", string> &
  Record<"path" | "client" | "traceparent", string | undefined> &
  Record<"milliseconds" | "bytes", number>;

function formatRecord(record: AccessLogRecord): string {
  const { fields, milliseconds, bytes, peer, requestId, traceparent } = record;
  const path = record.path === undefined ? "" : `,"path":${quoted(record.path)}`;
  const client = record.client === undefined ? "" : `,"client":"${record.client}"`;
  const duration = Math.round(milliseconds * 1000) / 1000;
  const trace =
    traceparent === undefined ? "" : `,"trace_id":"${traceIdOf(traceparent)}","span_id":"${spanIdOf(traceparent)}"`;
  return `${fields}${path},"duration_ms":${duration},"bytes":${bytes},"peer":"${peer}"${client},"request_id":"${requestId}"${trace}`;
}

/** Logs a failure whose details the caller does not get. The request is its method, or its method and URL. */
export function logFailure(log: RequestLog, error: unknown, request: string): void {
  log.error({ err: error, request: bounded(request) }, "Request failed");
}

function requestIdOf(given: string | string[] | undefined): string {
  return typeof given === "string" && /^[\w.~+/=:@-]{1,128}$/.test(given) ? given : randomUUID();
}

/** Quotes a caller's text as JSON. */
function quoted(text: string): string {
  const plain = text.length <= 256 && !/[^ !#-[\]-~]/.test(text);
  return plain ? `"${text}"` : JSON.stringify(bounded(text));
}

/** Bounds a caller's text for the log to 256 characters, and escapes everything but printable ASCII. */
function bounded(text: string): string {
  const printable = text.replaceAll(/[^\x20-\x7e]+/g, escapeCodeUnits);
  return printable.length > 256 ? `${printable.slice(0, 256)}…` : printable;
}
