import { createServer as createHttp2Server } from "node:http2";
import { createServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { Server, setLogger } from "@grpc/grpc-js";
import type { ListeningServer } from "../lifecycle/server-at.ts";
import type { ServerDependencies } from "../platform.ts";
import { quote } from "../text.ts";
import { createAdmissionGate } from "./admission-gate.ts";
import { CallRegistry } from "./calls.ts";
import { trackConnections } from "./connections.ts";
import { grpcHandler } from "./handler.ts";
import { healthService } from "./health.ts";
import { checkDescriptors, checkStreams, http2HandlerOf } from "./internals.ts";
import { methodDefinition, methodsOf } from "./method.ts";
import { reflectionServices } from "./reflection.ts";
import type { GrpcService } from "./service.ts";

/**
 * Creates the gRPC server of some services, with health checking and reflection.
 * @throws {Error} a private part of Node or grpc-js is not as expected
 */
export function createGrpcServer(platform: ServerDependencies, services: GrpcService[]): ListeningServer {
  const { config, readiness, admission, telemetry, tls } = platform;
  const names = services.map(({ descriptor }) => descriptor.typeName);
  const served = [...services, healthService(readiness, names)];
  if (config.reflection) served.push(...reflectionServices(served.map(({ descriptor }) => descriptor)));
  const methods = methodsOf(served);
  const registry = new CallRegistry();
  const server = createGrpcJsServer(platform);
  for (const method of methods.values()) {
    const { name, descriptor } = method;
    telemetry.grpc.expect(name);
    server.addService({ [name]: methodDefinition(descriptor) }, { [name]: grpcHandler(method, admission, registry) });
  }
  const handler = http2HandlerOf(server);
  checkStreams();

  const maxHeaderListSize = Math.min(config.grpcMaxMetadataSize, 2 ** 32 - 1);
  const settings = { maxConcurrentStreams: config.grpcMaxConcurrentStreams, maxHeaderListSize };
  const http2 = createHttp2Server({ settings });
  // A client of TLS without HTTP/2: Node would wait for it to close.
  http2.on("unknownProtocol", (socket) => socket.destroy());
  http2.on("session", (session) => handler.emit("session", session));
  const gate = createAdmissionGate(platform, registry, (...call) => handler.emit("stream", ...call));
  let accepted: Socket;
  const connections = trackConnections(platform, http2, () => accepted, methods, gate);
  const accept = (socket: Socket): void => {
    accepted = socket;
    http2.emit("connection", socket);
  };
  const secure = tls && createTlsServer({ ...tls.options, ALPNProtocols: ["h2"], noDelay: true }, accept);
  const closeHandshakes = secure && tls.attach("grpc", secure);
  const listener = secure ?? createServer({ noDelay: true }, accept);
  listener.maxConnections = config.maxConnections;
  listener.prependListener("listening", () => checkDescriptors(listener));

  return {
    listener,
    drain: async () => {
      const closed = new Promise((resolve) => listener.close(resolve));
      closeHandshakes?.();
      await connections.closeGracefully();
      await closed;
    },
    cut: () => {
      listener.close();
      closeHandshakes?.();
      return connections.destroy();
    },
  };
}

/** Creates the server of grpc-js. It gets the sessions and streams of an HTTP/2 server of our own (see {@link http2HandlerOf}). */
function createGrpcJsServer({ config, telemetry }: ServerDependencies): Server {
  // grpc-js logs malformed input to stderr, without a bound, and has one logger for all servers.
  const debug = (...details: unknown[]): void => telemetry.log.debug({ details: quote(details.join(" ")) }, "grpc-js");
  setLogger({ error: debug, info: debug, debug });
  return new Server({
    // Nothing here exposes channelz, and it costs an entry for every call.
    "grpc.enable_channelz": 0,
    "grpc.max_receive_message_length": config.grpcMaxMessageSize,
    ...(config.grpcKeepaliveTime > 0 && {
      "grpc.keepalive_time_ms": config.grpcKeepaliveTime,
      "grpc.keepalive_timeout_ms": config.grpcKeepaliveTimeout,
    }),
  });
}
