/** Trace context, as passed on between processes (https://www.w3.org/TR/trace-context/). */
export interface TraceContext {
  /** `00-<trace id>-<span id>-<flags>` */
  traceparent: string;
  /** Fields of other tracing systems. */
  tracestate?: string;
}

/** Version, trace id, span id and flags. A later version may have more. */
const pattern = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}(?:$|-)/;

/** Parses the trace context of headers; undefined without one, or if it is malformed. A receiver then starts a new trace. */
export function traceContext(traceparent: unknown, tracestate?: unknown): TraceContext | undefined {
  if (typeof traceparent !== "string" || !pattern.test(traceparent)) return undefined;
  // Version 00 has exactly these parts.
  if (traceparent.startsWith("00") && traceparent.length !== 55) return undefined;
  // HTTP/1.1 passes other characters, and gRPC's metadata does not.
  const valid = typeof tracestate === "string" && /^[\x20-\x7e]*$/.test(tracestate);
  return { traceparent, ...(valid && { tracestate }) };
}

export function traceIdOf(traceparent: string): string {
  return traceparent.slice(3, 35);
}

export function spanIdOf(traceparent: string): string {
  return traceparent.slice(36, 52);
}
