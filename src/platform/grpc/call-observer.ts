import { sensitiveHeaders } from "node:http2";
import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { status } from "@grpc/grpc-js";
import type { GrpcTelemetry } from "../telemetry/grpc.ts";
import type { RequestRecord } from "../telemetry/request.ts";

/**
 * Records the start of a call at its HTTP/2 stream, so that the calls that grpc-js answers itself are recorded too. Adds the request id to
 * the response.
 * @param method `package.Service/Method`; undefined for an unknown method
 * @returns the record, and the function that records the end when the stream is closed
 */
export function startCall(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  socket: Socket,
  method: string | undefined,
  telemetry: GrpcTelemetry,
): { record: RequestRecord; recordEnd: () => void } {
  const path = headers[":path"] ?? "";
  const record = telemetry.startRequest({ method, path, headers, socket });
  const { requestId } = record;

  // oxlint-disable-next-line typescript/unbound-method -- called on the stream below; binding them costs more
  const { respond, write } = stream as GrpcStream;
  const respondWithId: GrpcStream["respond"] = (answer, options) => {
    answer["x-request-id"] = requestId;
    answer[sensitiveHeaders] = neverIndexed;
    // gRPC has no use for a date.
    respond.call(stream, answer, { ...options, sendDate: false });
  };
  let bytes = 0;
  const writeCounted: GrpcStream["write"] = (message, callback) => {
    bytes += message.length;
    return write.call(stream, message, callback);
  };
  // Not function literals: V8 allocates a literal that is assigned to a property in old space, where it keeps the stream
  // until the next full collection (measured in bench/README.md).
  stream.respond = respondWithId;
  stream.write = writeCounted as typeof stream.write;
  return { record, recordEnd: () => record.end({ status: statusOf(stream), bytes }) };
}

/**
 * Headers that HPACK must not index (https://www.rfc-editor.org/rfc/rfc7541#section-7.1.3): an id never repeats, and would evict
 * headers that do.
 */
const neverIndexed = ["x-request-id"];

/** The methods of a stream that grpc-js responds with: headers made for this response alone, and one message at a time. */
interface GrpcStream {
  respond(headers: OutgoingHttpHeaders & { [sensitiveHeaders]?: string[] }, options?: object): void;
  write(message: Buffer, callback: (error?: Error | null) => void): boolean;
}

/** Returns the status of a closed stream's call. */
function statusOf({ sentHeaders, sentTrailers }: ServerHttp2Stream): string {
  const code = sentTrailers?.["grpc-status"] ?? sentHeaders?.["grpc-status"];
  if (code !== undefined) return status[Number(code)] ?? "UNKNOWN";
  // Rejected as no gRPC: clients map it to UNKNOWN (https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md).
  if (sentHeaders?.[":status"] === 415) return "UNKNOWN";
  // The client reset the stream.
  return "CANCELLED";
}
