import { createServer as createHttp2Server } from "node:http2";
import { createServer } from "node:net";
import type { Server as Listener, Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { DescService } from "@bufbuild/protobuf";
import { Server, ServerCredentials, setLogger } from "@grpc/grpc-js";
import { Health } from "../../gen/health/v1/health_pb.ts";
import { GreeterService } from "../../gen/greeter/v1/greeter_pb.ts";
import { ServerReflection } from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "../../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import type { Admission } from "../lifecycle/admission.ts";
import { quote, UnavailableError } from "../../greeter/greeter.ts";
import type { Greeter } from "../../greeter/greeter.ts";
import type { Readiness } from "../lifecycle/readiness.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { Tls } from "../tls/tls.ts";
import { callGate } from "./admission-gate.ts";
import type { ConnectionLimits } from "./connection-limits.ts";
import { followConnections } from "./connections.ts";
import { createEndlessStreams } from "./long-lived.ts";
import { greeterHandlers } from "../../greeter/grpc.ts";
import { healthHandlers } from "./health.ts";
import { exchangeOf } from "./call-observer.ts";
import type { ServiceContext } from "./handler.ts";
import { reflectionHandlers } from "./reflection.ts";
import { addService } from "./service.ts";
import type { Implementation } from "./service.ts";

type ReflectionAlphaHandlers = Implementation<typeof ServerReflectionAlpha>;

export interface GrpcServerOptions extends ConnectionLimits {
  greeter: Greeter;
  readiness: Readiness;
  admission: Admission;
  /** Whether clients may ask for the contract. */
  reflection: boolean;
  /** How long a connection may be silent before the server asks whether somebody is there, in milliseconds; 0 is never. */
  keepaliveTimeMs: number;
  /** How long the answer to that may take, in milliseconds. */
  keepaliveTimeoutMs: number;
  telemetry: Pick<Telemetry, "grpc" | "failed" | "log">;
  /** Undefined for plaintext. */
  tls: Tls | undefined;
  /** How many connections there may be; more are closed at once. */
  maxConnections: number;
  /** How many calls a connection may have at a time. */
  maxConcurrentStreams: number;
  /** How large the metadata of a call may be, in bytes. */
  maxMetadataSize: number;
}

export interface GrpcServer {
  /** Hands the server its connections; not yet listening. */
  listener: Listener;
  /** Takes no new connection, sends the clients away, and resolves when the last of their calls has ended. */
  drain: () => Promise<void>;
  /**
   * Closes every connection at once.
   * @returns how many calls were open on them, without those that nobody waits to end, when they are closed
   */
  cut: () => Promise<number>;
}

/** Builds the gRPC server with everything that it serves. */
export function createGrpcServer({
  greeter,
  readiness,
  reflection,
  telemetry,
  tls,
  ...options
}: GrpcServerOptions): GrpcServer {
  // What a caller sends that grpc-js can't read, it would write to stderr, without a bound. It has one log for all.
  const hear = (...details: unknown[]): void => telemetry.log.debug({ details: quote(details.join(" ")) }, "grpc-js");
  setLogger({ error: hear, info: hear, debug: hear });
  const server = new Server({
    // It costs a bookkeeping entry for every call, for a debugging interface that nothing here offers.
    "grpc.enable_channelz": 0,
    "grpc.max_receive_message_length": options.maxMessageSize,
    ...(options.keepaliveTimeMs > 0 && {
      "grpc.keepalive_time_ms": options.keepaliveTimeMs,
      "grpc.keepalive_timeout_ms": options.keepaliveTimeoutMs,
    }),
  });
  const endless = createEndlessStreams(() => new UnavailableError("The connection is closing"));
  const services = [GreeterService, Health, ...(reflection ? [ServerReflection, ServerReflectionAlpha] : [])];
  const report: ServiceContext["report"] = (error, method, metadata) =>
    telemetry.failed(error, method, exchangeOf(metadata));
  addService(server, GreeterService, greeterHandlers(greeter), { report, admission: options.admission });
  addService(server, Health, healthHandlers(readiness, [GreeterService.typeName]), { report, endless });
  if (reflection) {
    const handlers = reflectionHandlers(services);
    addService(server, ServerReflection, handlers, { report, endless });
    // v1alpha has the same messages, but for the name of their package.
    addService(server, ServerReflectionAlpha, handlers as unknown as ReflectionAlphaHandlers, { report, endless });
  }

  // Connections and HTTP/2 are ours, as HTTP's are: so that both fail, count and stop alike, and because grpc-js shows neither its
  // sockets nor its sessions, which a drain that loses nothing has to reach, and passes few limits on. It is handed sessions and calls.
  const [handler] =
    (server.createConnectionInjector(ServerCredentials.createInsecure()), server["http2Servers"].keys());
  const http2 = createHttp2Server({
    settings: {
      maxConcurrentStreams: options.maxConcurrentStreams,
      maxHeaderListSize: Math.min(options.maxMetadataSize, 2 ** 32 - 1),
    },
  });
  // A client that speaks TLS, but no HTTP/2 in it: Node would wait for it to close.
  http2.on("unknownProtocol", (socket) => socket.destroy());
  http2.on("session", (session) => handler.emit("session", session));
  const methods = methodsByPath(services);
  for (const method of methods.values()) telemetry.grpc.expect(method);
  let accepted: Socket;
  const connections = followConnections(http2, options, {
    socketOf: () => accepted,
    endless,
    serve: callGate({
      ...options,
      observer: { telemetry: telemetry.grpc, methods },
      privileged: new Set(methodsByPath(services.filter((service) => service !== GreeterService)).keys()),
      endless: endless.paths,
      serve: (stream, headers) => handler.emit("stream", stream, headers),
    }),
    retired: telemetry.grpc.retired,
  });
  const accept = (socket: Socket): void => {
    accepted = socket;
    http2.emit("connection", socket);
  };
  const secure = tls && createTlsServer({ ...tls.options, ALPNProtocols: ["h2"], noDelay: true }, accept);
  const handshakes = secure && tls.attach("grpc", secure);
  const listener = secure ?? createServer({ noDelay: true }, accept);
  listener.maxConnections = options.maxConnections;

  return {
    listener,
    drain: async () => {
      const closed = new Promise((resolve) => listener.close(resolve));
      handshakes?.abandon();
      await connections.retire();
      await closed;
    },
    cut: () => {
      listener.close();
      handshakes?.abandon();
      return connections.destroy();
    },
  };
}

function methodsByPath(services: DescService[]): Map<string, string> {
  const names = services.flatMap(({ typeName, methods }) => methods.map(({ name }) => `${typeName}/${name}`));
  return new Map(names.map((name) => [`/${name}`, name]));
}
