import { DEFAULT_GREETING } from "./greeter.ts";
import { address, boolean, duration, greeting, logLevel, oneOf } from "./values.ts";
import type { Parse } from "./values.ts";

/** One thing that an operator may set, by a flag or by an environment variable; the flag wins. */
export interface Setting<Value> {
  /** As the command line takes it, with a name for its value: `--addr <host:port>`. */
  flags: string;
  variable: string;
  default: string;
  /** The default where somebody sits at a terminal, if it is another. */
  terminalDefault?: string;
  description: string;
  parse: Parse<Value>;
}

/** Every setting of `serve`, by its flag in camel case, in the order of the help. */
export const settings = {
  greeting: {
    flags: "-g, --greeting <text>",
    variable: "GREETER_GREETING",
    default: DEFAULT_GREETING,
    description: "the word before the name",
    parse: greeting,
  },
  addr: {
    flags: "--addr <host:port>",
    variable: "GREETER_ADDR",
    default: "0.0.0.0:8080",
    description: "where HTTP listens",
    parse: address,
  },
  grpcAddr: {
    flags: "--grpc-addr <host:port>",
    variable: "GREETER_GRPC_ADDR",
    default: "0.0.0.0:50051",
    description: "where gRPC listens",
    parse: address,
  },
  adminAddr: {
    flags: "--admin-addr <host:port>",
    variable: "GREETER_ADMIN_ADDR",
    default: "0.0.0.0:9090",
    description: "where the probes and the metrics are; never public",
    parse: address,
  },
  logLevel: {
    flags: "--log-level <level>",
    variable: "GREETER_LOG_LEVEL",
    default: "info",
    description: "the least severe messages to log: trace, debug, info, warn, error, fatal or silent",
    parse: logLevel,
  },
  accessLog: {
    flags: "--access-log <which>",
    variable: "GREETER_ACCESS_LOG",
    default: "all",
    description: "which requests and calls to log: all, errors or off",
    parse: oneOf("all", "errors", "off"),
  },
  reflection: {
    flags: "--no-reflection",
    variable: "GREETER_REFLECTION",
    default: "true",
    description: "do not tell gRPC clients the contract",
    parse: boolean,
  },
  drainDelay: {
    flags: "--drain-delay <duration>",
    variable: "GREETER_DRAIN_DELAY",
    default: "5s",
    terminalDefault: "0s",
    description: "how long to go on serving when told to stop, for load balancers to notice",
    parse: duration,
  },
  drainTimeout: {
    flags: "--drain-timeout <duration>",
    variable: "GREETER_DRAIN_TIMEOUT",
    default: "20s",
    description: "how long what is in flight may then take, before it is cut off",
    parse: duration,
  },
  grpcMaxConnectionAge: {
    flags: "--grpc-max-connection-age <duration>",
    variable: "GREETER_GRPC_MAX_CONNECTION_AGE",
    default: "5m",
    description: "how old a gRPC connection becomes, so that clients spread over new pods; 0s for ever",
    parse: duration,
  },
  grpcMaxConnectionAgeGrace: {
    flags: "--grpc-max-connection-age-grace <duration>",
    variable: "GREETER_GRPC_MAX_CONNECTION_AGE_GRACE",
    default: "1m",
    description: "how long the calls on an old connection may then take",
    parse: duration,
  },
  grpcMaxConnectionIdle: {
    flags: "--grpc-max-connection-idle <duration>",
    variable: "GREETER_GRPC_MAX_CONNECTION_IDLE",
    default: "15m",
    description: "how long a gRPC connection may be without a call; 0s for ever",
    parse: duration,
  },
  grpcKeepaliveTime: {
    flags: "--grpc-keepalive-time <duration>",
    variable: "GREETER_GRPC_KEEPALIVE_TIME",
    default: "1m",
    description: "how often a gRPC client is asked whether it is still there, so that dead peers are noticed; 0s never",
    parse: duration,
  },
  grpcKeepaliveTimeout: {
    flags: "--grpc-keepalive-timeout <duration>",
    variable: "GREETER_GRPC_KEEPALIVE_TIMEOUT",
    default: "20s",
    description: "how long it may take to answer that",
    parse: duration,
  },
  httpKeepAliveTimeout: {
    flags: "--http-keep-alive-timeout <duration>",
    variable: "GREETER_HTTP_KEEP_ALIVE_TIMEOUT",
    default: "75s",
    description:
      "how long an HTTP connection waits for its next request; longer than a load balancer's usual 60s, which must close first",
    parse: duration,
  },
  httpHeadersTimeout: {
    flags: "--http-headers-timeout <duration>",
    variable: "GREETER_HTTP_HEADERS_TIMEOUT",
    default: "10s",
    description: "how long the headers of a request may take to arrive, so that slow clients can't hold connections",
    parse: duration,
  },
  httpRequestTimeout: {
    flags: "--http-request-timeout <duration>",
    variable: "GREETER_HTTP_REQUEST_TIMEOUT",
    default: "30s",
    description: "how long a whole request may take to arrive",
    parse: duration,
  },
} satisfies Record<string, Setting<unknown>>;
