import type { DescMessage, DescMethodUnary, DescService, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel as IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { Client, credentials, Metadata, status, type ServiceError as GrpcError } from "@grpc/grpc-js";
import type { RequestContext } from "../context.ts";
import { traceContext } from "../telemetry/trace-context.ts";
import type { SpanAttributes, Tracing } from "../telemetry/tracing.ts";
import { methodDefinition } from "./method.ts";
import { fromStatus } from "./status.ts";

/** Certificates of a client, in PEM. */
export interface ClientTls {
  /** Certificate authorities to trust; undefined for those of Node. */
  ca?: Buffer | undefined;
  /** Client certificate and its private key: both or neither. */
  cert?: Buffer | undefined;
  key?: Buffer | undefined;
  /** Name in the server's certificate, if it is not the target's. */
  serverName?: string | undefined;
}

export interface ClientOptions {
  /** `host:port`, or another form of https://github.com/grpc/grpc/blob/master/doc/naming.md. */
  target: string;
  /** Undefined for plaintext. */
  tls?: ClientTls | undefined;
  /** Traces each call. */
  tracing?: Tracing | undefined;
}

/** A connection to a remote service. */
export interface GrpcClient {
  /**
   * Calls a unary method. The deadline, the signal, the request's id and the trace of the context go with the call.
   * @throws {ServiceError} the status of the call
   */
  call: <In extends DescMessage, Out extends DescMessage>(
    method: DescMethodUnary<In, Out>,
    request: MessageInitShape<In>,
    context: RequestContext,
  ) => Promise<MessageShape<Out>>;
  /** Closes the connection. Later calls fail. */
  close: () => void;
}

/** Creates a client of a service, typed by its descriptor. */
export function createGrpcClient(service: DescService, { target, tls, tracing }: ClientOptions): GrpcClient {
  const channel = tls
    ? credentials.createSsl(tls.ca ?? null, tls.key ?? null, tls.cert ?? null)
    : credentials.createInsecure();
  const { serverName } = tls ?? {};
  const client = new Client(target, channel, {
    "grpc.service_config": JSON.stringify(serviceConfig(service)),
    ...(serverName !== undefined && {
      "grpc.ssl_target_name_override": serverName,
      "grpc.default_authority": serverName,
    }),
  });

  // Once for each method, not for each call.
  const definitions = new Map(service.methods.map((method) => [method, methodDefinition(method)]));
  const call: GrpcClient["call"] = (method, request, context) =>
    new Promise((resolve, reject) => {
      const definition = definitions.get(method) ?? methodDefinition(method);
      const { path, requestSerialize: serialize, responseDeserialize: deserialize } = definition;
      const { deadline, signal, requestId } = context;
      const name = path.slice(1);
      const parent = traceContext(context.traceparent, context.metadata["tracestate"]);
      const attributes = { "rpc.system.name": "grpc", "rpc.method": name, ...serverAttributes(target) };
      const span = tracing?.start({ name, kind: "client", parent, attributes });
      const metadata = new Metadata();
      const headers = { "x-request-id": requestId, ...parent, ...(span && { traceparent: span.traceparent }) };
      for (const [key, value] of Object.entries(headers)) metadata.set(key, value);
      const cancel = (): void => started.cancel();
      const onEnd = (error: GrpcError | null, response?: object): void => {
        signal.removeEventListener("abort", cancel);
        const code = status[error?.code ?? status.OK];
        span?.end({ attributes: { "rpc.status_code": code }, error: error ? code : undefined });
        if (error) reject(toError(error, target));
        else resolve(response as MessageShape<typeof method.output>);
      };
      const started = client.makeUnaryRequest(path, serialize, deserialize, request, metadata, { deadline }, onEnd);
      signal.addEventListener("abort", cancel);
      if (signal.aborted) cancel();
    });

  return { call, close: () => client.close() };
}

/**
 * Retry policy (https://grpc.io/docs/guides/retry/): a method whose proto declares an `idempotency_level` is retried if the
 * server is unavailable. Repeating any other method could repeat its effect.
 */
function serviceConfig({ typeName, methods }: DescService): object {
  const idempotent = methods.filter(({ idempotency }) => idempotency !== IdempotencyLevel.IDEMPOTENCY_UNKNOWN);
  const retryPolicy = {
    maxAttempts: 4,
    initialBackoff: "0.05s",
    maxBackoff: "1s",
    backoffMultiplier: 2,
    retryableStatusCodes: ["UNAVAILABLE"],
  };
  return {
    methodConfig: idempotent.map(({ name }) => ({ name: [{ service: typeName, method: name }], retryPolicy })),
    retryThrottling: { maxTokens: 10, tokenRatio: 0.1 },
  };
}

/** Attributes of the server (https://opentelemetry.io/docs/specs/semconv/rpc/grpc/). */
function serverAttributes(target: string): SpanAttributes {
  const [, host, port] = /^(?:dns:(?:\/\/[^/]*\/)?)?(.+):(\d+)$/.exec(target) ?? [];
  return host === undefined ? { "server.address": target } : { "server.address": host, "server.port": Number(port) };
}

/** Converts the status of a call. The message names the server if no answer came, and the request if only the log has details. */
function toError(error: GrpcError, target: string): Error {
  const details: Partial<Record<status, string>> = {
    [status.UNAVAILABLE]: `${target} is unavailable: ${error.details.replace(/\.? Resolution note: $/, "")}`,
    [status.DEADLINE_EXCEEDED]: `No answer from ${target} before the deadline`,
  };
  const requestId = error.metadata.get("x-request-id")[0]?.toString();
  if (requestId !== undefined) details[status.INTERNAL] = `${error.details} (request id ${requestId})`;
  return fromStatus({ code: error.code, details: details[error.code] ?? error.details }, error);
}
