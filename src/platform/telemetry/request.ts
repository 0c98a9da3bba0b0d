import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Readiness } from "../lifecycle/readiness.ts";
import type { Forwarded } from "./forwarded.ts";
import type { Level, Log } from "./log.ts";
import type { Family, Histogram, Metrics, Value } from "./metrics.ts";
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

/** What both tell of it as it ends. */
export interface Ending {
  /** How large the answer was, in bytes: its body, or its messages. */
  bytes: number;
}

/** What all exchanges of one method, route and status have in common: made once, for making it costs more than looking it up. */
export interface Outcome {
  duration: Histogram;
  level: Level;
  /** What class of error of this service it was; undefined where it was none. */
  error: string | undefined;
  /** The fields of its line in the log. */
  fields: string;
}

/** The terms in which a protocol's exchanges are told of. */
export interface Terms<A extends Arrival, E extends Ending> {
  protocol: "http" | "grpc";
  active(arrival: A, forwarded: Forwarded): Value;
  outcome(arrival: A, ending: E, forwarded: Forwarded): Outcome;
  /** The caller's own text, where that says more than the method. */
  path(arrival: A): string | undefined;
  spanStart(arrival: A, forwarded: Forwarded): { name: string; attributes: SpanAttributes };
  spanEnd(arrival: A, ending: E): { name?: string; attributes: SpanAttributes };
}

/** What every exchange is told to. */
export interface Observers {
  metrics: Metrics;
  /** Counts those that began when the service was not ready any more, by protocol. */
  late: Family<Value>;
  log: Log;
  accessLog: AccessLog;
  tracing: Tracing | undefined;
  readiness: Readiness;
  /** What the proxies say that it came through. */
  forwarded: (arrival: Arrival) => Forwarded;
}

/** Tells of a protocol's exchanges: to the metrics, the log and the trace. */
export type Begin<A extends Arrival, E extends Ending> = (arrival: A) => Exchange & { end(ending: E): void };

/** Follows exchanges from their beginning to their end, whatever their protocol. */
export function followExchanges<A extends Arrival, E extends Ending>(
  terms: Terms<A, E>,
  { log, accessLog, tracing, readiness, ...observers }: Observers,
): Begin<A, E> {
  const late = observers.late.with({ protocol: terms.protocol });
  const message = terms.protocol === "http" ? "Request" : "Call";

  return (arrival) => {
    const start = performance.now();
    const requestId = requestIdOf(arrival.headers["x-request-id"]);
    const forwarded = observers.forwarded(arrival);
    const parent = traceContext(arrival.headers["traceparent"], arrival.headers["tracestate"]);
    const span = tracing?.start({ kind: "server", parent, ...terms.spanStart(arrival, forwarded) });
    const traceparent = span?.traceparent ?? parent?.traceparent;
    // Read now: a closed connection does not tell any more.
    const peer = peerOf(arrival.socket);
    const active = terms.active(arrival, forwarded);
    active.value++;
    if (readiness.phase === "draining") late.value++;

    return {
      requestId,
      traceparent,
      end: (ending) => {
        const milliseconds = performance.now() - start;
        const { duration, level, error, fields } = terms.outcome(arrival, ending, forwarded);
        active.value--;
        duration.observe(milliseconds / 1000);
        span?.end({ ...terms.spanEnd(arrival, ending), error });
        if (accessLog === "off" || (accessLog === "errors" && (level === "debug" || level === "info"))) return;
        const { bytes } = ending;
        const path = terms.path(arrival);
        const { client } = forwarded;
        const record = { fields, path, milliseconds, bytes, peer, client, requestId, traceparent };
        log.later(level, message, record, lineOf);
      },
    };
  };
}

interface LineRecord extends Exchange {
  fields: string;
  path: string | undefined;
  milliseconds: number;
  bytes: number;
  peer: string;
  client: string | undefined;
}

/** The line of an exchange. */
function lineOf({ fields, path, milliseconds, bytes, peer, client, requestId, traceparent }: LineRecord): string {
  const text = path === undefined ? "" : `,"path":${quoted(path)}`;
  const behind = client === undefined ? "" : `,"client":"${client}"`;
  const duration = Math.round(milliseconds * 1000) / 1000;
  const trace =
    traceparent === undefined ? "" : `,"trace_id":"${traceIdOf(traceparent)}","span_id":"${spanIdOf(traceparent)}"`;
  return `${fields}${text},"duration_ms":${duration},"bytes":${bytes},"peer":"${peer}"${behind},"request_id":"${requestId}"${trace}`;
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

/** A caller's text as JSON. */
function quoted(text: string): string {
  const plain = text.length <= 256 && !/[^\x20-\x21\x23-\x5b\x5d-\x7e]/.test(text);
  return plain ? `"${text}"` : JSON.stringify(bounded(text));
}

/** A caller's text for the log: not too much of it, and nothing that does more to a screen than stand there. */
export function bounded(text: string): string {
  const escape = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  const printable = text.replaceAll(/[^\x20-\x7e]/g, escape);
  return printable.length > 256 ? `${printable.slice(0, 256)}…` : printable;
}
