import { writeSync } from "node:fs";
import { constants } from "node:http2";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Connection } from "./connections.ts";

/**
 * A GOAWAY frame that names the highest stream there can be: "I shall close, but what you have sent I still serve".
 * It is the first of the two that RFC 9113 recommends for a graceful shutdown
 * (https://www.rfc-editor.org/rfc/rfc9113#section-6.8): length 8, type 7, no flags, stream 0, last stream 2³¹−1, NO_ERROR.
 */
const shutdownNotice = Buffer.from([0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0]);

/** How long a client may take for what costs it a round trip, in milliseconds. */
const PATIENCE = 1000;

/** How often a closing connection is searched for what holds it without need, in milliseconds. */
const INTERVAL = 50;

/**
 * Writes the notice past Node, between two frames of its own.
 *
 * Node has no call for it. `session.close()` alone refuses what is on the way, as grpc-js's `tryShutdown` and
 * `grpc.max_connection_age_ms` do with it; `session.goaway(0, 2 ** 31 - 1)` names that last stream and then ignores it; and a
 * `socket.write()` that is not done at once is told to the session, which aborts the process for it (node_http2.cc,
 * `Http2Session::OnStreamAfterWrite`, in 26.10). So it goes to the file descriptor.
 * @returns whether the client gets it: not over TLS, where nobody else can write; nor where something of Node's still waits to be
 *   written, for that may be half a frame
 */
function notify(socket: Socket): boolean {
  const { _handle: handle } = socket as { _handle?: { fd: number; writeQueueSize: number } | null };
  if (socket instanceof TLSSocket || !handle || handle.fd < 0 || handle.writeQueueSize > 0) return false;
  try {
    const written = writeSync(handle.fd, shutdownNotice);
    // Half a frame is no beginning for another.
    if (written < shutdownNotice.length) socket.destroy();
    return true;
  } catch {
    return false;
  }
}

/**
 * Asks a client to go elsewhere with new calls, and loses none of those that it has on the way: the notice, a PING whose answer
 * tells that the client has seen it, and only then Node's own close, which refuses further streams. Where the client can't be given
 * notice, it is closed so at once: what is refused then was never begun, and gRPC's clients repeat it by themselves
 * (https://github.com/grpc/proposal/blob/master/A6-client-retries.md#transparent-retries).
 */
export function closeGracefully({ session, socket, calls, endlessCalls }: Connection): void {
  const close = (): void => session.close();
  if (notify(socket)) session.ping(close);
  else close();
  const unconfirmed = setTimeout(close, PATIENCE);

  // What would hold the connection although nobody waits for it.
  const start = performance.now();
  let lastCall = start;
  const holding = setInterval(() => {
    const now = performance.now();
    // A call that is answered whole, while its caller may go on sending (https://www.rfc-editor.org/rfc/rfc9113#section-8.1).
    for (const stream of [...calls.values().map((call) => call.stream), ...endlessCalls]) {
      if (stream.state.localClose === 1) stream.close(constants.NGHTTP2_NO_ERROR);
    }
    // A call that was ended, and whose caller does not read that.
    if (now - start > PATIENCE) for (const stream of endlessCalls) stream.close(constants.NGHTTP2_CANCEL);
    // A peer that does not close its side of the connection.
    if (calls.size + endlessCalls.size > 0 || !session.closed) lastCall = now;
    else if (now - lastCall > PATIENCE) socket.destroy();
  }, INTERVAL);
  session.once("close", () => {
    clearTimeout(unconfirmed);
    clearInterval(holding);
  });
}
