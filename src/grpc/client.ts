import { create } from "@bufbuild/protobuf";
import type { DescMessage, DescMethodUnary, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { Client, credentials, status } from "@grpc/grpc-js";
import type { ServiceError } from "@grpc/grpc-js";
import type { BuildInfo } from "../build-info.ts";
import { GreeterService, ModuleSchema } from "../gen/greeter/v1/greeter_pb.ts";
import { checkText } from "../greeter.ts";
import type { Greeter } from "../greeter.ts";
import { methodDefinition } from "./method.ts";
import { fromStatus } from "./status.ts";

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

/**
 * A Greeter that asks a gRPC server. It fails with the domain's errors, as the server's own greeter would.
 * @param options.target where the server is: `host:port`, or another form of https://github.com/grpc/grpc/blob/master/doc/naming.md
 * @param options.timeoutMs how long each call may take, in milliseconds: the call's deadline
 */
export function createGreeterClient({ target, timeoutMs }: { target: string; timeoutMs: number }): GreeterClient {
  const client = new Client(target, credentials.createInsecure(), {
    "grpc.service_config": JSON.stringify(serviceConfig),
  });

  const call = <In extends DescMessage, Out extends DescMessage>(
    method: DescMethodUnary<In, Out>,
    request: MessageInitShape<In>,
  ): Promise<MessageShape<Out>> =>
    new Promise((resolve, reject) => {
      const { path, requestSerialize, responseDeserialize } = methodDefinition(method);
      const deadline = Date.now() + timeoutMs;
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, { deadline }, (error, response) => {
        if (error) reject(toError(error, target, timeoutMs));
        else resolve(response as MessageShape<Out>);
      });
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

/** The domain's error. It names the server where nothing came back from it. */
function toError(error: ServiceError, target: string, timeoutMs: number): Error {
  const details: Partial<Record<status, string>> = {
    [status.UNAVAILABLE]: `${target} is unavailable: ${error.details.replace(/\.? Resolution note: $/, "")}`,
    [status.DEADLINE_EXCEEDED]: `No answer from ${target} within ${timeoutMs} ms`,
  };
  return fromStatus({ code: error.code, details: details[error.code] ?? error.details }, error);
}
