import { InvalidArgumentError } from "../../greeter/greeter.ts";
import type { TraceContext } from "./trace-context.ts";

/** What a span says of itself, by the names of OpenTelemetry's semantic conventions (https://opentelemetry.io/docs/specs/semconv/). */
export type SpanAttributes = Record<string, string | number | undefined>;

/** A span as it begins. */
export interface SpanStart {
  name: string;
  kind: "server" | "client";
  /** Where its trace comes from; without that it begins one. */
  parent: TraceContext | undefined;
  attributes: SpanAttributes;
}

/** One request or call, as a part of a trace. */
export interface Span {
  /** What is passed on to whoever is asked on its behalf. */
  readonly traceparent: string;
  /**
   * It is over.
   * @param name another name, where the first was not yet the whole truth
   * @param error what class of error it ended with; undefined where that is none of this side
   */
  end(end: { name?: string; attributes: SpanAttributes; error: string | undefined }): void;
}

/** Hears of what goes wrong on a span's way. */
export interface TracingLog {
  warn(fields: object, message: string): void;
  debug(fields: object, message: string): void;
}

/** Where spans are told. */
export interface Tracing {
  start(span: SpanStart): Span;
  /** Sends what has not been sent yet; resolves also when that fails. */
  close(): Promise<void>;
}

/**
 * Tracing as the standard `OTEL_…` variables say (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/).
 * OpenTelemetry's SDK reads them from the process by itself, so they are no parameter here. It is loaded only when there is
 * somewhere to send spans to, so that whoever has nowhere pays nothing for it.
 * @param log hears of what goes wrong on the way
 * @param version tells which version of the service the spans are of
 * @returns undefined where no endpoint is set
 * @throws {InvalidArgumentError} the endpoint or the protocol is none that spans could be sent by
 */
export async function openTracing(log: TracingLog, version: () => Promise<string>): Promise<Tracing | undefined> {
  const [variable, endpoint] = firstSet("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT");
  const [, disabled] = firstSet("OTEL_SDK_DISABLED");
  const [, exporter] = firstSet("OTEL_TRACES_EXPORTER");
  if (!endpoint || disabled?.toLowerCase() === "true" || exporter === "none") return undefined;

  if (!/^https?:$/.test(URL.parse(endpoint)?.protocol ?? "")) {
    throw new InvalidArgumentError(`Invalid ${variable} ${JSON.stringify(endpoint)}: expected an http or https URL`);
  }
  const [which, protocol] = firstSet("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL");
  if (protocol && protocol !== "http/protobuf") {
    throw new InvalidArgumentError(`Invalid ${which} ${JSON.stringify(protocol)}: expected http/protobuf`);
  }
  const { createTracing } = await import("./otlp.ts");
  return createTracing(log, version());
}

/** The first of these variables that is set, and its value. To OpenTelemetry, an empty one is not set. */
function firstSet(...variables: string[]): [string, string] | [] {
  for (const variable of variables) {
    const value = process.env[variable]?.trim();
    if (value) return [variable, value];
  }
  return [];
}
