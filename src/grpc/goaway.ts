import { constants } from "node:http2";
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
 * Asks a client to go elsewhere with new calls, and loses none of those that it has on the way: the notice, a PING whose answer
 * tells that the client has seen it, and only then Node's own close, which refuses further streams.
 *
 * Node has no call for the notice. `session.close()` alone refuses what is on the way, as grpc-js's `tryShutdown` and
 * `grpc.max_connection_age_ms` do with it; `session.goaway(0, 2 ** 31 - 1)` names that last stream and then ignores it. So the frame
 * is written to the socket itself: Node writes whole frames, and between two of them there is room for another.
 */
export function closeGracefully({ session, socket, calls, endlessCalls }: Connection): void {
  const close = (): void => session.close();
  socket.write(shutdownNotice);
  session.ping(close);
  const unconfirmed = setTimeout(close, PATIENCE);

  // What would hold the connection although nobody waits for it.
  const start = performance.now();
  let lastCall = start;
  const holding = setInterval(() => {
    const now = performance.now();
    // A call that is answered whole, while its caller may go on sending (https://www.rfc-editor.org/rfc/rfc9113#section-8.1).
    for (const stream of [...calls.keys(), ...endlessCalls]) {
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
