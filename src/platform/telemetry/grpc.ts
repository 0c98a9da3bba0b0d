import { identity } from "../identity.ts";
import type { Level } from "./log.ts";
import { memoize } from "./memoize.ts";
import { createRecorder, OTHER } from "./request.ts";
import type { RecorderDependencies, RequestEnd, RequestStart } from "./request.ts";

/** The method is `package.Service/Method`, or undefined if it is unknown. The path is as the caller sent it. */
type GrpcRequestStart = RequestStart & { method: string | undefined; path: string };

/** The status is the name of the gRPC status code. */
type GrpcRequestEnd = RequestEnd & { status: string };

/** Reason why the server closes a connection gracefully. */
export type CloseReason = "age" | "idle" | "drain";

export type GrpcTelemetry = ReturnType<typeof grpcTelemetry>;

/** Statuses that are errors of the server, by the semantic conventions. The others answer an error of the caller. */
const serverErrors = new Set(["UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"]);

/**
 * Creates the recorder of gRPC calls and connections, by OpenTelemetry's semantic conventions
 * (https://opentelemetry.io/docs/specs/semconv/rpc/rpc-metrics/, https://opentelemetry.io/docs/specs/semconv/rpc/grpc/).
 */
export function grpcTelemetry(dependencies: RecorderDependencies) {
  const { metrics } = dependencies;
  const actives = metrics.gauge("rpc_server_active_calls", "gRPC calls in flight.");
  const active = memoize((method: string) => actives.with({ rpc_system_name: "grpc", rpc_method: method }));
  const durations = metrics.histogram("rpc_server_call_duration_seconds", "Duration of gRPC calls, in seconds.");
  const result = memoize((method: string, status: string) => {
    const error = serverErrors.has(status) ? status : undefined;
    const labels = { rpc_system_name: "grpc", rpc_method: method, rpc_status_code: status, error_type: error };
    // Probes call every few seconds, and a watch ends with its connection.
    const probe = method.startsWith("grpc.health.v1.Health/");
    const level: Level = probe ? "debug" : status === "OK" || status === "CANCELLED" ? "info" : "warn";
    const fields = `"protocol":"grpc","method":"${method}","status":"${status}"`;
    return { duration: durations.with(labels), level, error, fields };
  });
  const help = "gRPC connections closed gracefully by the server, by reason.";
  const closings = metrics.counter(`${identity.metricPrefix}grpc_connections_closed_total`, help);
  for (const reason of ["age", "idle", "drain"]) closings.with({ reason });

  return {
    /** Creates the common series of a method at 0, so that `rate()` sees the first call. */
    expect: (method: string): void => {
      active(method);
      result(method, "OK");
    },
    startRequest: createRecorder<GrpcRequestStart, GrpcRequestEnd>(dependencies, {
      protocol: "grpc",
      active: ({ method = OTHER }) => active(method),
      result: ({ method = OTHER }, { status }) => result(method, status),
      path: ({ method, path }) => (method === undefined ? path : undefined),
      spanName: ({ method = "grpc" }) => method,
      startAttributes: ({ method, path }) => ({
        "rpc.system.name": "grpc",
        "rpc.method": method ?? OTHER,
        "rpc.method_original": method === undefined ? path.replace(/^\//, "") : undefined,
      }),
      endAttributes: ({ status }) => ({ "rpc.status_code": status }),
    }),
    closing: (reason: CloseReason): void => {
      closings.with({ reason }).value++;
    },
  };
}
