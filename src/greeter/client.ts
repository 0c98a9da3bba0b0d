import { create } from "@bufbuild/protobuf";
import type { DescMessage, DescMethodUnary, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { Client, credentials, Metadata, status } from "@grpc/grpc-js";
import type { ServiceError } from "@grpc/grpc-js";
import type { BuildInfo } from "../platform/build-info.ts";
import { GreeterService, ModuleSchema } from "../gen/greeter/v1/greeter_pb.ts";
import { checkText } from "./greeter.ts";
import type { Greeter } from "./greeter.ts";
import type { TraceContext } from "../platform/telemetry/trace-context.ts";
import type { SpanAttributes, Tracing } from "../platform/telemetry/tracing.ts";
import { methodDefinition } from "../platform/grpc/method.ts";
import { fromStatus } from "../platform/grpc/status.ts";

/**
 * What the channel does by itself (https://grpc.io/docs/guides/service-config/): a call that found the server unavailable is safe to
 * repeat, for no method changes anything. Not for ever, and hardly where most calls fail.
 */
const serviceConfig = {
  methodConfig: [
    {
      name: [{ service: GreeterService.typeName }],
      retryPolicy: {
        maxAttempts: 4,
        initialBackoff: "0.05s",
        maxBackoff: "1s",
        backoffMultiplier: 2,
        retryableStatusCodes: ["UNAVAILABLE"],
      },
    },
  ],
  retryThrottling: { maxTokens: 10, tokenRatio: 0.1 },
};

/** A Greeter somewhere else. */
export interface GreeterClient extends Greeter {
  /** Closes the connection; calls after it fail. */
  close(): void;
}

/** How to trust a server, and how to be trusted by it; all in PEM. */
export interface ClientTls {
  /** The authorities to trust; those that Node trusts where there are none. */
  ca?: Buffer | undefined;
  /** The client's certificate and its private key: both, or none where the server wants none. */
  cert?: Buffer | undefined;
  key?: Buffer | undefined;
  /** The name that the server's certificate must have, where that is not the target's. */
  serverName?: string | undefined;
}

export interface GreeterClientOptions {
  /** Where the server is: `host:port`, or another form of https://github.com/grpc/grpc/blob/master/doc/naming.md. */
  target: string;
  /** How long each call may take, in milliseconds: the call's deadline. */
  timeoutMs: number;
  /** Undefined for plaintext. */
  tls?: ClientTls | undefined;
  /** Hears of each call. */
  tracing?: Tracing | undefined;
  /** The trace that the calls are a part of. */
  parent?: TraceContext | undefined;
}

/** A Greeter that asks a gRPC server. It fails with the domain's errors, as the server's own greeter would. */
export function createGreeterClient({ target, timeoutMs, tls, tracing, parent }: GreeterClientOptions): GreeterClient {
  const channel = tls
    ? credentials.createSsl(tls.ca ?? null, tls.key ?? null, tls.cert ?? null)
    : credentials.createInsecure();
  const client = new Client(target, channel, {
    "grpc.service_config": JSON.stringify(serviceConfig),
    ...(tls?.serverName !== undefined && {
      "grpc.ssl_target_name_override": tls.serverName,
      "grpc.default_authority": tls.serverName,
    }),
  });

  const call = <In extends DescMessage, Out extends DescMessage>(
    method: DescMethodUnary<In, Out>,
    request: MessageInitShape<In>,
  ): Promise<MessageShape<Out>> =>
    new Promise((resolve, reject) => {
      const { path, requestSerialize, responseDeserialize } = methodDefinition(method);
      const deadline = Date.now() + timeoutMs;
      const name = path.slice(1);
      const attributes = { "rpc.system.name": "grpc", "rpc.method": name, ...serverAttributes(target) };
      const span = tracing?.start({ name, kind: "client", parent, attributes });
      const metadata = new Metadata();
      const traceparent = span?.traceparent ?? parent?.traceparent;
      if (traceparent !== undefined) metadata.set("traceparent", traceparent);
      if (parent?.tracestate !== undefined) metadata.set("tracestate", parent.tracestate);
      client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        metadata,
        { deadline },
        (error, response) => {
          const code = status[error?.code ?? status.OK];
          span?.end({ attributes: { "rpc.status_code": code }, error: error ? code : undefined });
          if (error) reject(toError(error, target, timeoutMs));
          else resolve(response as MessageShape<Out>);
        },
      );
    });

  return {
    greet: async (name) => {
      // It would arrive as another name: UTF-8 has no place for half a character.
      if (name?.isWellFormed() === false) checkText("name", name);
      return (await call(GreeterService.method.greet, { name })).message;
    },
    version: async (): Promise<BuildInfo> => {
      const { runtime, main, dependencies, settings } = await call(GreeterService.method.version, {});
      return { runtime, main: main ?? create(ModuleSchema), dependencies, settings };
    },
    close: () => client.close(),
  };
}

/** Where the server is, as https://opentelemetry.io/docs/specs/semconv/rpc/grpc/ wants it: what is no host and port is told whole. */
function serverAttributes(target: string): SpanAttributes {
  const [, host, port] = /^(?:dns:(?:\/\/[^/]*\/)?)?(.+):(\d+)$/.exec(target) ?? [];
  return host === undefined ? { "server.address": target } : { "server.address": host, "server.port": Number(port) };
}

/** The domain's error. It names the server where nothing came back from it, and the request where only its log can tell more. */
function toError(error: ServiceError, target: string, timeoutMs: number): Error {
  const details: Partial<Record<status, string>> = {
    [status.UNAVAILABLE]: `${target} is unavailable: ${error.details.replace(/\.? Resolution note: $/, "")}`,
    [status.DEADLINE_EXCEEDED]: `No answer from ${target} within ${timeoutMs} ms`,
  };
  const requestId = error.metadata.get("x-request-id")[0]?.toString();
  if (requestId !== undefined) details[status.INTERNAL] = `${error.details} (request id ${requestId})`;
  return fromStatus({ code: error.code, details: details[error.code] ?? error.details }, error);
}
