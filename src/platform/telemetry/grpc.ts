import { followExchanges } from "./request.ts";
import type { Arrival, Begin, Ending, Observers, Terms } from "./request.ts";
import type { Level } from "./log.ts";
import { durationBounds } from "./metrics.ts";
import { remember } from "./memoize.ts";

/** What is to be known of a call when it arrives. */
export interface GrpcArrival extends Arrival {
  /** `package.Service/Method`; undefined where nothing here is called so. */
  method: string | undefined;
  /** The path as the caller sent it. */
  path: string;
}

/** How a call ended. */
export interface GrpcEnding extends Ending {
  /** The name of a gRPC status code. */
  status: string;
}

/** Why a connection's client was sent away. */
export type Retirement = "age" | "idle" | "drain";

/** Hears of every gRPC call. */
export interface GrpcTelemetry {
  /** A method is served: its metrics are there from now on, so that its first call is an increase. */
  expect(method: string): void;
  begin: Begin<GrpcArrival, GrpcEnding>;
  /** A connection's client was asked to go elsewhere. */
  retired: (reason: Retirement) => void;
}

/** What a method is called that nothing here is called: the convention's word. */
const OTHER = "_OTHER";

/** The statuses that are errors of a server, as the convention has it; the others are answers to a caller's error. */
const serverErrors = new Set(["UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"]);

/**
 * Tells of gRPC calls by OpenTelemetry's conventions
 * (https://opentelemetry.io/docs/specs/semconv/rpc/rpc-metrics/, https://opentelemetry.io/docs/specs/semconv/rpc/grpc/).
 */
export function grpcTelemetry(observers: Observers): GrpcTelemetry {
  const { metrics } = observers;
  const actives = metrics.gauge("rpc_server_active_calls", "gRPC calls that are being served.");
  const active = remember((method: string) => actives.with({ rpc_system_name: "grpc", rpc_method: method }));
  const help = "Duration of gRPC calls, in seconds.";
  const durations = metrics.histogram("rpc_server_call_duration_seconds", help, durationBounds);
  const outcome = remember((method: string, status: string) => {
    const error = serverErrors.has(status) ? status : undefined;
    const duration = durations.with({
      rpc_system_name: "grpc",
      rpc_method: method,
      rpc_status_code: status,
      ...(error !== undefined && { error_type: error }),
    });
    const fields = `"protocol":"grpc","method":"${method}","status":"${status}"`;
    return { duration, level: levelOf(method, status), error, fields };
  });
  const retirements = metrics.counter(
    "greeter_grpc_connections_retired_total",
    "gRPC connections whose client was asked to go elsewhere: for their age, for being idle, or for the drain.",
  );
  const retired = {
    age: retirements.with({ reason: "age" }),
    idle: retirements.with({ reason: "idle" }),
    drain: retirements.with({ reason: "drain" }),
  };

  const terms: Terms<GrpcArrival, GrpcEnding> = {
    protocol: "grpc",
    active: ({ method = OTHER }) => active(method),
    outcome: ({ method = OTHER }, { status }) => outcome(method, status),
    path: ({ method, path }) => (method === undefined ? path : undefined),
    spanStart: ({ method, path, socket }, { client }) => ({
      name: method ?? "grpc",
      attributes: {
        "rpc.system.name": "grpc",
        "rpc.method": method ?? OTHER,
        "rpc.method_original": method === undefined ? path.replace(/^\//, "") : undefined,
        "client.address": client,
        "network.peer.address": socket.remoteAddress,
        "network.peer.port": socket.remotePort,
      },
    }),
    spanEnd: (_, { status }) => ({ attributes: { "rpc.status_code": status } }),
  };
  return {
    expect: (method) => {
      active(method);
      outcome(method, "OK");
    },
    begin: followExchanges(terms, observers),
    retired: (reason) => {
      retired[reason].value++;
    },
  };
}

function levelOf(method: string, status: string): Level {
  // Probes ask every few seconds, and a watch ends with the connection it is on: nobody wants to read that.
  if (method.startsWith("grpc.health.v1.Health/")) return "debug";
  return status === "OK" || status === "CANCELLED" ? "info" : "warn";
}
