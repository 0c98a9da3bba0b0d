import { DEFAULT_GREETING } from "../../greeter/greeter.ts";
import { address, boolean, count, duration, file, greeting, logLevel, networks, oneOf, size } from "./parsers.ts";
import type { Parse } from "./parsers.ts";

/** One thing that an operator may set, by a flag or by an environment variable; the flag wins. */
export interface Setting<Value> {
  /** As the command line takes it, with a name for its value: `--addr <host:port>`. */
  flags: string;
  /** Named after the flag: `GREETER_ADDR`. */
  variable: string;
  default: string;
  /** The default where somebody sits at a terminal, if it is another. */
  terminalDefault?: string;
  description: string;
  parse: Parse<Value>;
}

/** Every setting of `serve`, by its flag in camel case, in the order of the help. */
export const settings = {
  greeting: setting("-g, --greeting <text>", DEFAULT_GREETING, greeting, "the word before the name"),
  addr: setting("--addr <host:port>", "0.0.0.0:8080", address, "where HTTP listens"),
  grpcAddr: setting("--grpc-addr <host:port>", "0.0.0.0:50051", address, "where gRPC listens"),
  adminAddr: setting(
    "--admin-addr <host:port>",
    "0.0.0.0:9090",
    address,
    "where the probes and the metrics are; never public",
  ),
  reusePort: setting(
    "--reuse-port",
    "false",
    boolean,
    "share the HTTP and gRPC ports with other processes of the same user (SO_REUSEPORT)",
  ),
  logLevel: setting(
    "--log-level <level>",
    "info",
    logLevel,
    "the least severe messages to log: trace, debug, info, warn, error, fatal or silent",
  ),
  accessLog: setting(
    "--access-log <which>",
    "all",
    oneOf("all", "errors", "off"),
    "which requests and calls to log: all, errors or off",
  ),
  reflection: setting("--no-reflection", "true", boolean, "do not tell gRPC clients the contract"),
  trustProxy: setting(
    "--trust-proxy <networks>",
    "",
    networks,
    "proxies whose X-Forwarded-For and -Proto are believed: addresses or networks, separated by commas",
  ),
  tlsCert: setting(
    "--tls-cert <file>",
    "",
    file,
    "certificate chain in PEM: HTTP and gRPC then speak TLS; read again when it changes",
  ),
  tlsKey: setting("--tls-key <file>", "", file, "private key of the certificate in PEM"),
  tlsClientCa: setting(
    "--tls-client-ca <file>",
    "",
    file,
    "authorities in PEM, one of which must have signed a client's certificate",
  ),
  tlsClientAuth: setting(
    "--tls-client-auth <when>",
    "required",
    oneOf("required", "optional"),
    "whether clients need a certificate: required, or optional where they may come without one",
  ),
  maxInFlight: setting(
    "--max-in-flight <count>",
    "1000",
    count,
    "how many requests and calls may be in flight; more are told to come back later",
  ),
  maxConnections: setting(
    "--max-connections <count>",
    "10000",
    count,
    "how many connections HTTP may have, and how many gRPC; more are closed at once",
  ),
  handshakeTimeout: setting(
    "--handshake-timeout <duration>",
    "10s",
    duration,
    "how long a connection may take for its TLS handshake, and for the preface of HTTP/2",
  ),
  drainDelay: {
    ...setting(
      "--drain-delay <duration>",
      "5s",
      duration,
      "how long to go on serving when told to stop, for load balancers to notice",
    ),
    terminalDefault: "0s",
  },
  drainTimeout: setting(
    "--drain-timeout <duration>",
    "20s",
    duration,
    "how long what is in flight may then take, before it is cut off",
  ),
  grpcMaxConnectionAge: setting(
    "--grpc-max-connection-age <duration>",
    "5m",
    duration,
    "how old a gRPC connection becomes, so that clients spread over new pods; 0s for ever",
  ),
  grpcMaxConnectionAgeGrace: setting(
    "--grpc-max-connection-age-grace <duration>",
    "1m",
    duration,
    "how long the calls on an old connection may then take",
  ),
  grpcMaxConnectionIdle: setting(
    "--grpc-max-connection-idle <duration>",
    "15m",
    duration,
    "how long a gRPC connection may be without a call; 0s for ever",
  ),
  grpcKeepaliveTime: setting(
    "--grpc-keepalive-time <duration>",
    "1m",
    duration,
    "how often a gRPC client is asked whether it is still there, so that dead peers are noticed; 0s never",
  ),
  grpcKeepaliveTimeout: setting(
    "--grpc-keepalive-timeout <duration>",
    "20s",
    duration,
    "how long it may take to answer that",
  ),
  grpcMaxMessageSize: setting(
    "--grpc-max-message-size <size>",
    "64KiB",
    size,
    "how large a message of a gRPC client may be, decompressed",
  ),
  grpcMaxMetadataSize: setting(
    "--grpc-max-metadata-size <size>",
    "16KiB",
    size,
    "how large the metadata of a call may be, with 32 bytes for each entry",
  ),
  grpcMaxConcurrentStreams: setting(
    "--grpc-max-concurrent-streams <count>",
    "100",
    count,
    "how many calls a gRPC connection may have at a time; clients wait with more",
  ),
  grpcMaxTimeout: setting(
    "--grpc-max-timeout <duration>",
    "30s",
    duration,
    "deadline of a call that has none, or a later one",
  ),
  httpKeepAliveTimeout: setting(
    "--http-keep-alive-timeout <duration>",
    "75s",
    duration,
    "how long an HTTP connection waits for its next request; longer than a load balancer's usual 60s, which must close first",
  ),
  httpHeadersTimeout: setting(
    "--http-headers-timeout <duration>",
    "10s",
    duration,
    "how long the headers of a request may take to arrive, so that slow clients can't hold connections",
  ),
  httpSendTimeout: setting(
    "--http-send-timeout <duration>",
    "20s",
    duration,
    "how long an HTTP client may leave its answer unread; of a gRPC client, the keepalive finds that out",
  ),
  httpMaxHeaderSize: setting(
    "--http-max-header-size <size>",
    "16KiB",
    size,
    "how large the first line and the headers of a request may be together",
  ),
  httpMaxUrlSize: setting(
    "--http-max-url-size <size>",
    "4KiB",
    size,
    "how long a request's URL may be; the longest name takes 3KiB",
  ),
  httpMaxRequestsPerConnection: setting(
    "--http-max-requests-per-connection <count>",
    "1000",
    count,
    "how many requests an HTTP connection may serve, before its client must open another",
  ),
} satisfies Record<string, Setting<unknown>>;

function setting<Value>(flags: string, value: string, parse: Parse<Value>, description: string): Setting<Value> {
  const [, name] = /--(?:no-)?([\w-]+)/.exec(flags)!;
  const variable = `GREETER_${name!.toUpperCase().replaceAll("-", "_")}`;
  return { flags, variable, default: value, description, parse };
}
