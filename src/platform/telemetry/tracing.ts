import type { RequestLog } from "../context.ts";
import { invalidArgument } from "../errors.ts";
import type { TraceContext } from "./trace-context.ts";

/** Attributes of a span, by OpenTelemetry's semantic conventions (https://opentelemetry.io/docs/specs/semconv/). */
export type SpanAttributes = Record<string, string | number | undefined>;

/** One request or call in a trace. */
interface Span {
  /** Trace context to pass on to other services. */
  readonly traceparent: string;
  /** @param end the name replaces that of the start; the error is the class of this side's failure, if any */
  end(end: { name?: string; attributes: SpanAttributes; error: string | undefined }): void;
}

/** Log of the exporter's failures. */
export type TracingLog = Pick<RequestLog, "warn" | "debug">;

export interface Tracing {
  /** @param start its parent is the trace context of the caller; undefined starts a trace */
  start(start: {
    name: string;
    kind: "server" | "client";
    parent: TraceContext | undefined;
    attributes: SpanAttributes;
  }): Span;
  /** Exports the spans that are still queued. It resolves even if that fails. */
  close(): Promise<void>;
}

/**
 * Creates tracing by the standard `OTEL_…` variables (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/).
 * OpenTelemetry's SDK reads them from the process itself, so they are no parameter. The SDK is loaded only if an endpoint is set.
 * @param version reads the version of the service
 * @returns undefined without an endpoint
 * @throws {ServiceError} INVALID_ARGUMENT: the endpoint or the protocol is invalid
 */
export async function openTracing(log: TracingLog, version: () => Promise<string>): Promise<Tracing | undefined> {
  const [variable, endpoint] = firstSet("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT");
  const [, disabled] = firstSet("OTEL_SDK_DISABLED");
  const [, exporter] = firstSet("OTEL_TRACES_EXPORTER");
  if (endpoint === "" || disabled.toLowerCase() === "true" || exporter === "none") return undefined;

  if (!/^https?:$/.test(URL.parse(endpoint)?.protocol ?? "")) {
    throw invalidArgument(`Invalid ${variable} ${JSON.stringify(endpoint)}: expected an http or https URL`);
  }
  const [which, protocol] = firstSet("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL");
  if (protocol !== "" && protocol !== "http/protobuf") {
    throw invalidArgument(`Invalid ${which} ${JSON.stringify(protocol)}: expected http/protobuf`);
  }
  const { createTracing } = await import("./otlp.ts");
  return createTracing(log, version());
}

/** Returns the first of the variables that is set, and its value. OpenTelemetry ignores an empty one. */
function firstSet(...names: string[]): [name: string, value: string] {
  const name = names.find((name) => process.env[name]?.trim()) ?? "";
  return [name, process.env[name]?.trim() ?? ""];
}
