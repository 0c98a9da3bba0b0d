import type {
  IncomingHttpHeaders,
  OutgoingHttpHeaders,
  ServerHttp2Session,
  ServerHttp2Stream,
  ServerStreamResponseOptions,
} from "node:http2";
import type { Socket } from "node:net";
import { status } from "@grpc/grpc-js";
import type { Metadata } from "@grpc/grpc-js";
import type { Exchange } from "../telemetry/exchange.ts";
import type { GrpcTelemetry } from "../telemetry/grpc.ts";

/** Sees calls as HTTP/2 has them, before grpc-js does: those too that it answers by itself. */
export interface CallObserver {
  telemetry: GrpcTelemetry;
  /** Every method that is served, `package.Service/Method`, by its path. */
  methods: ReadonlyMap<string, string>;
}

/**
 * Tells of each call on a connection, from its headers to its status. What a handler and grpc-js get to see are the request id and the
 * trace context of this exchange, in the metadata where a caller's would be; and every answer carries the request id.
 */
export function observeCalls(session: ServerHttp2Session, socket: Socket, { telemetry, methods }: CallObserver): void {
  // First of all listeners, so that grpc-js reads the headers as they are set here.
  session.prependListener("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    const path = headers[":path"] ?? "";
    const exchange = telemetry.begin({ method: methods.get(path), path, headers, socket });
    const { requestId, traceparent } = exchange;
    headers["x-request-id"] = requestId;
    if (traceparent === undefined) delete headers["traceparent"];
    else headers["traceparent"] = traceparent;

    // The headers of an answer, and the messages that follow them.
    const respond = stream.respond.bind(stream);
    stream.respond = ((answer, options) =>
      respond({ ...answer, "x-request-id": requestId }, options)) satisfies Respond;
    let bytes = 0;
    const write = stream.write.bind(stream) as WriteMessage;
    stream.write = ((message, callback) => {
      bytes += message.length;
      return write(message, callback);
    }) satisfies WriteMessage as typeof stream.write;
    stream.once("close", () => exchange.end({ status: statusOf(stream), bytes }));
  });
}

/** As grpc-js calls them. */
type Respond = (headers: OutgoingHttpHeaders, options?: ServerStreamResponseOptions) => void;
type WriteMessage = (message: Buffer, callback: (error?: Error | null) => void) => boolean;

/** The exchange that a handler's call is. */
export function exchangeOf(metadata: Metadata): Exchange {
  const first = (key: string): string | undefined => metadata.get(key)[0]?.toString();
  return { requestId: first("x-request-id") ?? "", traceparent: first("traceparent") };
}

/** How the call of a closed stream ended. */
function statusOf({ sentHeaders, sentTrailers }: ServerHttp2Stream): string {
  const code = sentTrailers?.["grpc-status"] ?? sentHeaders?.["grpc-status"];
  if (code !== undefined) return status[Number(code)] ?? "UNKNOWN";
  // Refused as no gRPC at all: a client would take that for UNKNOWN (https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md).
  if (sentHeaders?.[":status"] === 415) return "UNKNOWN";
  // Nobody waited for the status.
  return "CANCELLED";
}
