import { GreeterService } from "../gen/greeter/v1/greeter_pb.ts";
import { service, type GrpcService } from "../platform/grpc/service.ts";
import type { Greeter } from "./greeter.ts";

/** Creates the greeter's gRPC service. */
export function greeterService(greeter: Greeter): GrpcService {
  return service(GreeterService, {
    greet: async ({ name }, context) => ({ message: await greeter.greet(name, context) }),
    version: (_, context) => greeter.version(context),
  });
}
