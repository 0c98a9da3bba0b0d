import { create } from "@bufbuild/protobuf";
import { GreeterService, ModuleSchema } from "../gen/greeter/v1/greeter_pb.ts";
import { createGrpcClient, type ClientOptions } from "../platform/grpc/client.ts";
import { checkText, type Greeter } from "./greeter.ts";

/** A remote greeter. */
export interface GreeterClient extends Greeter {
  /** Closes the connection. Later calls fail. */
  close(): void;
}

/** Creates a greeter that calls a gRPC server. It fails with the errors of the server's greeter. */
export function createGreeterClient(options: ClientOptions): GreeterClient {
  const { call, close } = createGrpcClient(GreeterService, options);
  return {
    greet: async (name, context) => {
      // Protobuf would replace an unpaired surrogate, and greet another name.
      if (name?.isWellFormed() === false) checkText("name", name);
      return (await call(GreeterService.method.greet, { name }, context)).message;
    },
    version: async (context) => {
      const { runtime, main, dependencies, settings } = await call(GreeterService.method.version, {}, context);
      return { runtime, main: main ?? create(ModuleSchema), dependencies, settings };
    },
    close,
  };
}
