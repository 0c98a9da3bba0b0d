import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { overloaded } from "../lifecycle/admission.ts";
import type { Platform } from "../platform.ts";
import { startCall } from "./call-observer.ts";
import type { CallRegistry } from "./calls.ts";
import type { Connection } from "./connection.ts";
import type { ServedMethod } from "./method.ts";
import { PUSHBACK, toStatus } from "./status.ts";
import { boundedTimeout } from "./timeout.ts";

/** Handles a new stream, and returns the function to call when the stream is closed. */
export type AdmissionGate = ReturnType<typeof createAdmissionGate>;

/**
 * Creates the gate that every call passes first: it records the call, bounds its deadline, and admits or rejects it.
 * @param serve passes an admitted call to grpc-js
 */
export function createAdmissionGate(
  { admission, config, telemetry }: Pick<Platform, "admission" | "config" | "telemetry">,
  registry: CallRegistry,
  serve: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
) {
  return (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, connection: Connection, method?: ServedMethod) => {
    const { record, recordEnd } = startCall(stream, headers, connection.socket, method?.name, telemetry.grpc);
    const { exempt, longLived } = method?.options ?? {};
    if (admission.full && !exempt) {
      reject(stream);
      return recordEnd;
    }
    const timeout = boundedTimeout(headers["grpc-timeout"]?.toString(), longLived ? Infinity : config.grpcMaxTimeout);
    if (timeout !== undefined) headers["grpc-timeout"] = timeout;
    const unregister = registry.register({ record, headers, connection }, () => serve(stream, headers));
    return () => {
      unregister();
      recordEnd();
    };
  };
}

/** Responds with headers alone, without grpc-js: rejecting must be cheap. */
function reject(stream: ServerHttp2Stream): void {
  const { code, details, metadata } = toStatus(overloaded());
  // Nothing depends on the response to a rejected call.
  stream.on("error", () => {});
  if (stream.destroyed) return;
  const headers = { ":status": 200, "content-type": "application/grpc+proto", "grpc-status": String(code) };
  const pushback = String(metadata.get(PUSHBACK)[0]);
  stream.respond({ ...headers, "grpc-message": details, [PUSHBACK]: pushback }, { endStream: true });
}
