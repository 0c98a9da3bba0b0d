import { sensitiveHeaders } from "node:http2";
import type {
  IncomingHttpHeaders,
  OutgoingHttpHeaders,
  ServerHttp2Stream,
  ServerStreamResponseOptions,
} from "node:http2";
import type { Socket } from "node:net";
import { status } from "@grpc/grpc-js";
import type { Metadata } from "@grpc/grpc-js";
import type { Exchange } from "../telemetry/request.ts";
import type { GrpcTelemetry } from "../telemetry/grpc.ts";

/** Sees calls as HTTP/2 has them, before grpc-js does: those too that it answers by itself. */
export interface CallObserver {
  telemetry: GrpcTelemetry;
  /** Every method that is served, `package.Service/Method`, by its path. */
  methods: ReadonlyMap<string, string>;
}

/**
 * Tells of a call when its headers arrive, before grpc-js reads them. What grpc-js and the handlers get to see are the request id and the
 * trace context of this exchange, in the metadata where a caller's would be; and every answer carries the request id.
 * @returns what tells of its end, when the stream is closed
 */
export function observeCall(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  socket: Socket,
  { telemetry, methods }: CallObserver,
): () => void {
  const path = headers[":path"] ?? "";
  const exchange = telemetry.begin({ method: methods.get(path), path, headers, socket });
  const { requestId, traceparent } = exchange;
  headers["x-request-id"] = requestId;
  if (traceparent !== headers["traceparent"]) headers["traceparent"] = traceparent;

  // The headers of an answer, and the messages that follow them.
  // oxlint-disable-next-line typescript/unbound-method -- called on the stream below; to bind them costs more
  const { respond, write } = stream as Answering;
  const respondWithId: Answering["respond"] = (answer, options) => {
    answer["x-request-id"] = requestId;
    answer[sensitiveHeaders] = neverIndexed;
    // No date: gRPC has no use for it, and it is one more header to write.
    respond.call(stream, answer, { ...options, sendDate: false });
  };
  let bytes = 0;
  const writeCounted: Answering["write"] = (message, callback) => {
    bytes += message.length;
    return write.call(stream, message, callback);
  };
  // Functions that are written where they are assigned to a property, V8 puts into old space, where they keep the stream until the
  // next full collection: it takes them for methods (see bench/README.md).
  stream.respond = respondWithId;
  stream.write = writeCounted as typeof stream.write;
  return () => exchange.end({ status: statusOf(stream), bytes });
}

/**
 * Headers that HPACK is not to keep for the next answers (https://www.rfc-editor.org/rfc/rfc7541#section-7.1.3): an id that never comes
 * again would only push out those that do.
 */
const neverIndexed = ["x-request-id"];

/** How grpc-js answers on a stream: with headers made for it alone, and with a message at a time. */
interface Answering {
  respond(
    headers: OutgoingHttpHeaders & { [sensitiveHeaders]?: string[] },
    options?: ServerStreamResponseOptions,
  ): void;
  write(message: Buffer, callback: (error?: Error | null) => void): boolean;
}

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
