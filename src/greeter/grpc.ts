import type { GreeterService } from "../gen/greeter/v1/greeter_pb.ts";
import type { Greeter } from "./greeter.ts";
import type { Implementation } from "../platform/grpc/service.ts";

/** The Greeter over gRPC: from its messages to the domain and back. */
export function greeterHandlers(greeter: Greeter): Implementation<typeof GreeterService> {
  return {
    greet: async ({ name }) => ({ message: await greeter.greet(name) }),
    version: () => greeter.version(),
  };
}
