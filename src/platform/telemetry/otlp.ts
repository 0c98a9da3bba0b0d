import { defaultTextMapGetter, diag, DiagLogLevel, ROOT_CONTEXT, SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { getNumberFromEnv, getStringFromEnv, W3CTraceContextPropagator } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from "@opentelemetry/resources";
import * as sdk from "@opentelemetry/sdk-trace";
import { identity } from "../identity.ts";
import type { Tracing, TracingLog } from "./tracing.ts";

/** Creates tracing over OTLP. The exporter reads its own variables; this reads those that the SDK leaves to its user. */
export function createTracing(log: TracingLog, version: Promise<string>): Tracing {
  // The exporter reports here that it cannot reach its collector.
  // The SDK formats an error as JSON.
  const warn = (message: string, ...details: unknown[]): void =>
    log.warn({ details: details.map(String) }, `Tracing: ${/"message":"([^"]*)"/.exec(message)?.[1] ?? message}`);
  const debug = (message: string): void => log.debug({}, `Tracing: ${message}`);
  diag.setLogger({ error: warn, warn, info: debug, debug, verbose: () => {} }, DiagLogLevel.INFO);

  const provider = new sdk.TracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ "service.name": identity.name, "service.version": version }))
      .merge(detectResources({ detectors: [envDetector] })),
    sampler: readSampler(),
    spanProcessors: [createProcessor()],
  });
  const tracer = provider.getTracer(identity.name);
  const propagator = new W3CTraceContextPropagator();

  return {
    start: ({ name, kind, parent, attributes }) => {
      const options = { kind: kind === "server" ? SpanKind.SERVER : SpanKind.CLIENT, attributes };
      const context = propagator.extract(ROOT_CONTEXT, parent ?? {}, defaultTextMapGetter);
      const span = tracer.startSpan(name, options, context);
      const { traceId, spanId, traceFlags } = span.spanContext();
      return {
        traceparent: `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`,
        end: ({ name, attributes, error }) => {
          if (name !== undefined) span.updateName(name);
          span.setAttributes({ ...attributes, "error.type": error });
          if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR });
          span.end();
        },
      };
    },
    close: () => provider.shutdown().catch((error: unknown) => warn("Cannot export the last spans", error)),
  };
}

const samplers = new Map<string, () => sdk.Sampler>([
  ["always_on", () => new sdk.AlwaysOnSampler()],
  ["always_off", () => new sdk.AlwaysOffSampler()],
  ["traceidratio", () => new sdk.TraceIdRatioBasedSampler(getNumberFromEnv("OTEL_TRACES_SAMPLER_ARG") ?? 1)],
]);

function readSampler(): sdk.Sampler {
  const standard = "parentbased_always_on";
  const name = getStringFromEnv("OTEL_TRACES_SAMPLER") ?? standard;
  const root = samplers.get(name.replace(/^parentbased_/, ""))?.();
  if (root) return name.startsWith("parentbased_") ? new sdk.ParentBasedSampler({ root }) : root;
  diag.warn(`Unknown OTEL_TRACES_SAMPLER ${JSON.stringify(name)}, using ${standard}`);
  return new sdk.ParentBasedSampler({ root: new sdk.AlwaysOnSampler() });
}

function createProcessor(): sdk.BatchSpanProcessor {
  return new sdk.BatchSpanProcessor({
    exporter: new OTLPTraceExporter(),
    scheduledDelayMillis: getNumberFromEnv("OTEL_BSP_SCHEDULE_DELAY"),
    exportTimeoutMillis: getNumberFromEnv("OTEL_BSP_EXPORT_TIMEOUT"),
    maxQueueSize: getNumberFromEnv("OTEL_BSP_MAX_QUEUE_SIZE"),
    maxExportBatchSize: getNumberFromEnv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE"),
    // The SDK replaces undefined by its default, which its types lack.
  } as sdk.BatchSpanProcessorOptions);
}
