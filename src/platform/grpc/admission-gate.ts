import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { status } from "@grpc/grpc-js";
import type { Admission } from "../lifecycle/admission.ts";
import { OverloadedError } from "../../greeter/greeter.ts";
import { observeCall } from "./call-observer.ts";
import type { CallObserver } from "./call-observer.ts";
import { PUSHBACK } from "./status.ts";
import { boundedTimeout } from "./timeout.ts";

interface Surroundings {
  admission: Admission;
  /** How long a call may take, in milliseconds. */
  maxTimeoutMs: number;
  observer: CallObserver;
  /** Calls that are served however much is in flight, by their paths: a probe that is refused would get the busiest pod restarted. */
  privileged: ReadonlySet<string>;
  /** Calls that last until somebody ends them, by their paths. */
  endless: ReadonlySet<string>;
  /** Serves what was let in. */
  serve: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;
}

/**
 * Takes every call first: tells of it, and lets it in or refuses it.
 * @returns for each call, what is to be called when its stream is closed
 */
export function callGate({ admission, maxTimeoutMs, observer, privileged, endless, serve }: Surroundings) {
  return (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, socket: Socket): (() => void) => {
    const tellEnd = observeCall(stream, headers, socket, observer);
    const path = headers[":path"] ?? "";
    if (admission.full && !privileged.has(path)) {
      refuse(stream);
      return tellEnd;
    }
    const timeout = boundedTimeout(headers["grpc-timeout"]?.toString(), endless.has(path) ? Infinity : maxTimeoutMs);
    if (timeout !== undefined) headers["grpc-timeout"] = timeout;
    serve(stream, headers);
    return tellEnd;
  };
}

/** An answer of headers alone, with no work for grpc-js. */
function refuse(stream: ServerHttp2Stream): void {
  const error = new OverloadedError("Overloaded: too much is in flight");
  // What becomes of a call that nobody serves is no news.
  stream.on("error", () => {});
  if (stream.destroyed) return;
  stream.respond(
    {
      ":status": 200,
      "content-type": "application/grpc+proto",
      "grpc-status": String(status.UNAVAILABLE),
      "grpc-message": error.message,
      [PUSHBACK]: String(error.retryAfterMs),
    },
    { endStream: true },
  );
}
