import type { Config } from "./config.ts";
import { accessLog, address, boolean, clientAuth, count, duration, file, logLevel, networks, size } from "./parsers.ts";
import { settingsTable } from "./setting.ts";

/** Settings of the platform. A service adds its own rows. */
export const platformSettings = settingsTable({
  addr: ["0.0.0.0:8080", address, "HTTP listen address"],
  grpcAddr: ["0.0.0.0:50051", address, "gRPC listen address"],
  adminAddr: ["0.0.0.0:9090", address, "listen address of probes and metrics; never make it public"],
  reusePort: ["false", boolean, "share the HTTP and gRPC ports with other processes of the same user (SO_REUSEPORT)"],
  logLevel: ["info", logLevel, "minimum log level: trace, debug, info, warn, error, fatal or silent"],
  accessLog: ["all", accessLog, "requests and calls to log: all, errors or off"],
  reflection: ["true", boolean, "disable gRPC server reflection"],
  trustProxy: ["", networks, "trusted proxies, for X-Forwarded-For and X-Forwarded-Proto: addresses or networks"],
  tlsCert: ["", file, "certificate chain in PEM; enables TLS for HTTP and gRPC; reloaded when it changes"],
  tlsKey: ["", file, "private key of the certificate in PEM"],
  tlsClientCa: ["", file, "certificate authorities in PEM that client certificates are verified against"],
  tlsClientAuth: ["required", clientAuth, "client certificates: required, or optional (verified if sent)"],
  maxInFlight: ["1000", count, "maximum requests and calls in flight; more are rejected with a time to retry after"],
  maxConnections: ["10000", count, "maximum connections of HTTP, and of gRPC; more are closed at once"],
  handshakeTimeout: ["10s", duration, "timeout of the TLS handshake and of the HTTP/2 preface"],
  drainDelay: ["5s", duration, "time to serve on after becoming unready", { terminalDefault: "0s" }],
  drainTimeout: ["20s", duration, "time for requests in flight to finish; then they are cut off"],
  grpcMaxConnectionAge: [
    "5m",
    duration,
    "maximum age of a connection, so that clients reach new replicas; 0s is unlimited",
  ],
  grpcMaxConnectionAgeGrace: ["1m", duration, "time for the calls of an aged connection to finish"],
  grpcMaxConnectionIdle: ["15m", duration, "maximum time of a connection without a call; 0s is unlimited"],
  grpcKeepaliveTime: ["1m", duration, "interval of pings that detect dead clients; 0s disables them"],
  grpcKeepaliveTimeout: ["20s", duration, "timeout of the answer to a ping"],
  grpcMaxMessageSize: ["64KiB", size, "maximum size of a request message, decompressed"],
  grpcMaxMetadataSize: ["16KiB", size, "maximum size of a call's metadata, with 32 bytes for each entry"],
  grpcMaxConcurrentStreams: ["100", count, "maximum concurrent calls of a connection; clients queue more"],
  grpcMaxTimeout: ["30s", duration, "default and maximum deadline of a call"],
  httpKeepAliveTimeout: ["75s", duration, "maximum idle time of a connection; must exceed that of the load balancer"],
  httpHeadersTimeout: ["10s", duration, "timeout to receive a request, so that slow clients cannot hold connections"],
  httpSendTimeout: ["20s", duration, "maximum time without progress on a response"],
  httpMaxHeaderSize: ["16KiB", size, "maximum size of a request's first line and headers together"],
  httpMaxUrlSize: ["4KiB", size, "maximum size of a request's URL"],
  httpMaxRequestsPerConnection: ["1000", count, "maximum requests of a connection; then its client must open another"],
});

/** Values of the platform's settings. */
export type PlatformConfig = Config<typeof platformSettings>;
