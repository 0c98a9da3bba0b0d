import { createServer } from "node:net";
import type { Server as Listener } from "node:net";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { GreeterService } from "../gen/greeter/v1/greeter_pb.ts";
import type { Greeter } from "../greeter.ts";
import { greeterHandlers } from "./greeter.ts";
import type { ErrorReport } from "./handler.ts";
import { addService } from "./service.ts";

/** A gRPC server, and the listener that hands it connections. */
export interface GrpcServer {
  /** Not yet listening. */
  listener: Listener;
  /** Stops accepting, sends GOAWAY, and resolves when the calls in flight have ended. */
  stop(): Promise<void>;
}

/** Builds the gRPC server with everything that it serves; it listens when its listener is told to. */
export function createGrpcServer(options: { greeter: Greeter; report: ErrorReport }): GrpcServer {
  const server = new Server();
  addService(server, GreeterService, greeterHandlers(options.greeter), options.report);

  // The listener is ours, as HTTP's is, so that both fail, count and stop alike: grpc-js's own tells a port in use only by a
  // sentence, and hides its sockets.
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const listener = createServer((socket) => injector.injectConnection(socket));

  return {
    listener,
    stop: async () => {
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
      await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
      await closed;
    },
  };
}
