import type { ServerHttp2Session } from "node:http2";
import type { Duplex } from "node:stream";

/**
 * A GOAWAY frame that names the highest stream there can be: "I shall close, but what you have sent I still serve".
 * It is the first of the two that RFC 9113 recommends for a graceful shutdown
 * (https://www.rfc-editor.org/rfc/rfc9113#section-6.8): length 8, type 7, no flags, stream 0, last stream 2³¹−1, NO_ERROR.
 */
const shutdownNotice = Buffer.from([0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0]);

/** How long a client may take to confirm that it has seen the notice, in milliseconds. */
const CONFIRMATION_TIMEOUT = 1000;

/**
 * Asks a client to go elsewhere with new calls, and loses none of those that it has on the way: the notice, a PING whose answer
 * tells that the client has seen it, and only then Node's own close, which refuses further streams.
 *
 * Node has no call for the notice. `session.close()` alone refuses what is on the way, as grpc-js's `tryShutdown` and
 * `grpc.max_connection_age_ms` do with it; `session.goaway(0, 2 ** 31 - 1)` names that last stream and then ignores it. So the frame
 * is written to the socket itself: Node writes whole frames, and between two of them there is room for another.
 * @param socket the connection that the session runs on
 */
export function sendAway(session: ServerHttp2Session, socket: Duplex): void {
  const close = (): void => session.close();
  const timer = setTimeout(close, CONFIRMATION_TIMEOUT);
  session.once("close", () => clearTimeout(timer));
  socket.write(shutdownNotice);
  session.ping(close);
}
