import {
  createTraceState,
  diag,
  DiagLogLevel,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import type { Context } from "@opentelemetry/api";
import { getNumberFromEnv, getStringFromEnv, parseTraceParent } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from "@opentelemetry/resources";
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import type { BatchSpanProcessorOptions, Sampler } from "@opentelemetry/sdk-trace";
import type { TraceContext } from "./trace-context.ts";
import type { Tracing, TracingLog } from "./tracing.ts";

/** Sends spans over OTLP. The exporter reads its own variables; what the SDK leaves to whoever sets it up is read here. */
export function createTracing(log: TracingLog, version: Promise<string>): Tracing {
  // An exporter that can't reach its collector says so here, and the service goes on.
  const warn = (message: string, ...details: unknown[]): void =>
    log.warn({ details: details.map(String) }, `Tracing: ${message}`);
  const debug = (message: string): void => log.debug({}, `Tracing: ${message}`);
  diag.setLogger({ error: warn, warn, info: debug, debug, verbose: () => {} }, DiagLogLevel.INFO);

  const provider = new TracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ "service.name": "greeter", "service.version": version.catch(() => undefined) }))
      .merge(detectResources({ detectors: [envDetector] })),
    sampler: readSampler(),
    spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter(), ...readBatching() })],
  });
  const tracer = provider.getTracer("greeter");

  return {
    start: ({ name, kind, parent, attributes }) => {
      const options = { kind: kind === "server" ? SpanKind.SERVER : SpanKind.CLIENT, attributes };
      const span = tracer.startSpan(name, options, contextOf(parent));
      const { traceId, spanId, traceFlags } = span.spanContext();
      return {
        traceparent: `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`,
        end: (end) => {
          if (end.name !== undefined) span.updateName(end.name);
          span.setAttributes(end.attributes);
          if (end.error !== undefined) {
            span.setAttribute("error.type", end.error);
            span.setStatus({ code: SpanStatusCode.ERROR });
          }
          span.end();
        },
      };
    },
    close: () => provider.shutdown().catch((error: unknown) => warn("Could not send the last spans", error)),
  };
}

function contextOf(parent: TraceContext | undefined): Context {
  const spanContext = parent && parseTraceParent(parent.traceparent);
  if (!spanContext) return ROOT_CONTEXT;
  const { tracestate } = parent;
  return trace.setSpanContext(ROOT_CONTEXT, {
    ...spanContext,
    isRemote: true,
    ...(tracestate !== undefined && { traceState: createTraceState(tracestate) }),
  });
}

function readSampler(): Sampler {
  const ratio = (): Sampler => new TraceIdRatioBasedSampler(getNumberFromEnv("OTEL_TRACES_SAMPLER_ARG") ?? 1);
  const parentBased = (root: Sampler): Sampler => new ParentBasedSampler({ root });
  const samplers: Record<string, () => Sampler> = {
    always_on: () => new AlwaysOnSampler(),
    always_off: () => new AlwaysOffSampler(),
    traceidratio: ratio,
    parentbased_always_on: () => parentBased(new AlwaysOnSampler()),
    parentbased_always_off: () => parentBased(new AlwaysOffSampler()),
    parentbased_traceidratio: () => parentBased(ratio()),
  };
  const standard = "parentbased_always_on";
  const name = getStringFromEnv("OTEL_TRACES_SAMPLER") ?? standard;
  if (!samplers[name]) diag.warn(`Unknown OTEL_TRACES_SAMPLER ${JSON.stringify(name)}, using ${standard}`);
  return (samplers[name] ?? samplers[standard]!)();
}

function readBatching(): Partial<BatchSpanProcessorOptions> {
  const variables = {
    scheduledDelayMillis: "OTEL_BSP_SCHEDULE_DELAY",
    exportTimeoutMillis: "OTEL_BSP_EXPORT_TIMEOUT",
    maxQueueSize: "OTEL_BSP_MAX_QUEUE_SIZE",
    maxExportBatchSize: "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
  };
  const read = Object.entries(variables).map(([option, variable]) => [option, getNumberFromEnv(variable)] as const);
  return Object.fromEntries(read.filter(([, value]) => value !== undefined));
}
