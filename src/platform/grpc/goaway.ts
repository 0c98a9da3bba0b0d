import { constants } from "node:http2";
import type { Connection } from "./connection.ts";
import { writeToDescriptor } from "./internals.ts";

/**
 * GOAWAY frame with the highest stream id: the server will close, and still serves the streams that the client has sent. It is the first of
 * the two frames that RFC 9113 recommends for a graceful shutdown
 * (https://www.rfc-editor.org/rfc/rfc9113#section-6.8): length 8, type 7, no flags, stream 0, last stream 2³¹−1, NO_ERROR.
 */
const shutdownNotice = Buffer.from([0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0]);

/** Maximum time for a client to answer, or to close its side, in milliseconds. */
const CLIENT_TIMEOUT_MS = 1000;

/** Interval of the sweep of a closing connection, in milliseconds. */
const SWEEP_INTERVAL_MS = 50;

/**
 * Closes a connection without losing a call: it sends the notice, waits for the answer to a PING, which proves that the client has read the
 * notice, and then closes the session, which refuses later streams. A client that cannot get the notice (see
 * {@link writeToDescriptor}) is closed at once. gRPC clients retry refused streams transparently
 * (https://github.com/grpc/proposal/blob/master/A6-client-retries.md#transparent-retries).
 */
export function closeGracefully(connection: Connection): void {
  const { session, socket } = connection;
  const close = (): void => session.close();
  if (writeToDescriptor(socket, shutdownNotice)) session.ping(close);
  else close();
  const unconfirmed = setTimeout(close, CLIENT_TIMEOUT_MS);
  const sweeping = setInterval(createSweep(connection), SWEEP_INTERVAL_MS);
  session.once("close", () => {
    clearTimeout(unconfirmed);
    clearInterval(sweeping);
  });
}

/** Returns a function that ends everything that keeps a closing connection open although no call needs it. */
function createSweep(connection: Connection): () => void {
  const { longLivedCalls } = connection;
  const start = performance.now();
  return () => {
    // A call whose response is complete, while its client may still send (https://www.rfc-editor.org/rfc/rfc9113#section-8.1).
    for (const stream of connection.streams) {
      if (stream.state.localClose === 1) stream.close(constants.NGHTTP2_NO_ERROR);
    }
    // A long-lived call that was ended, and whose client does not read the status.
    if (performance.now() - start < CLIENT_TIMEOUT_MS) return;
    for (const stream of longLivedCalls) stream.close(constants.NGHTTP2_CANCEL);
  };
}
