import type { Arrival, Exchange, followExchanges } from "./exchange.ts";
import { durationBounds } from "./metrics.ts";
import type { Histogram, Metrics, Value } from "./metrics.ts";

/** What is to be known of a call when it arrives. */
export interface GrpcArrival extends Arrival {
  /** `package.Service/Method`; undefined where nothing here is called so. */
  method: string | undefined;
  /** The path as the caller sent it. */
  path: string;
}

/** How a call ended. */
export interface GrpcEnding {
  /** The name of a gRPC status code. */
  status: string;
  /** How large the messages of the answer were, in bytes. */
  bytes: number;
}

export interface GrpcExchange extends Exchange {
  end(ending: GrpcEnding): void;
}

/** Why a connection's client was sent away. */
export type Retirement = "age" | "idle" | "drain";

/** Hears of every gRPC call. */
export interface GrpcTelemetry {
  begin(arrival: GrpcArrival): GrpcExchange;
  /** A connection's client was asked to go elsewhere. */
  retired: (reason: Retirement) => void;
}

/** The statuses that are errors of a server, as the convention for spans of servers has it; the others are answers to a caller's error. */
const serverErrors = new Set(["UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"]);

/**
 * Tells of gRPC calls by OpenTelemetry's conventions
 * (https://opentelemetry.io/docs/specs/semconv/rpc/rpc-metrics/, https://opentelemetry.io/docs/specs/semconv/rpc/grpc/).
 */
export function grpcTelemetry(metrics: Metrics, begin: ReturnType<typeof followExchanges>): GrpcTelemetry {
  const active = metrics.gauge("rpc_server_active_calls", "gRPC calls that are being served.");
  const duration = metrics.histogram(
    "rpc_server_call_duration_seconds",
    "Duration of gRPC calls, in seconds.",
    durationBounds,
  );
  const retired = metrics.counter(
    "greeter_grpc_connections_retired_total",
    "gRPC connections whose client was asked to go elsewhere: for their age, for being idle, or for the drain.",
  );
  const activeBy = new Map<string, Value>();
  const durationBy = new Map<string, Histogram>();

  const activeOf = (method: string): Value => {
    const known = activeBy.get(method) ?? active.with({ rpc_system_name: "grpc", rpc_method: method });
    activeBy.set(method, known);
    return known;
  };
  const durationOf = (method: string, status: string): Histogram => {
    const key = `${method} ${status}`;
    const known =
      durationBy.get(key) ??
      duration.with({
        rpc_system_name: "grpc",
        rpc_method: method,
        rpc_status_code: status,
        ...(serverErrors.has(status) && { error_type: status }),
      });
    durationBy.set(key, known);
    return known;
  };

  return {
    begin: ({ method: known, path, headers, socket }) => {
      const method = known ?? "_OTHER";
      const begun = begin({
        protocol: "grpc",
        method,
        path: known === undefined ? path : undefined,
        headers,
        socket,
        active: activeOf(method),
        span: () => ({
          name: known ?? "grpc",
          attributes: {
            "rpc.system.name": "grpc",
            "rpc.method": method,
            "rpc.method_original": known === undefined ? path.replace(/^\//, "") : undefined,
            "network.peer.address": socket.remoteAddress,
            "network.peer.port": socket.remotePort,
          },
        }),
      });
      return {
        requestId: begun.requestId,
        traceparent: begun.traceparent,
        end: ({ status, bytes }) =>
          begun.end({
            duration: durationOf(method, status),
            status,
            bytes,
            level: levelOf(method, status),
            error: serverErrors.has(status) ? status : undefined,
            span: () => ({ attributes: { "rpc.status_code": status } }),
          }),
      };
    },
    retired: (reason) => {
      retired.with({ reason }).value++;
    },
  };
}

function levelOf(method: string, status: string): "debug" | "info" | "warn" | "error" {
  if (status === "INTERNAL" || status === "UNKNOWN" || status === "DATA_LOSS") return "error";
  // Probes ask every few seconds, and a watch ends with the connection it is on: nobody wants to read that.
  if (method.startsWith("grpc.health.v1.Health/")) return "debug";
  return status === "OK" || status === "CANCELLED" ? "info" : "warn";
}
