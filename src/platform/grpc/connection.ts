import type { ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import type { Platform } from "../platform.ts";
import type { CloseReason } from "../telemetry/grpc.ts";
import { newLimitState, type LimitState } from "./connection-limits.ts";
import { closeGracefully } from "./goaway.ts";
import { StreamTable } from "./stream-table.ts";

/** One HTTP/2 connection. */
export class Connection {
  readonly session: ServerHttp2Session;
  readonly socket: Socket;
  /** Calls in flight by stream id, with the time of their start in milliseconds by the monotonic clock. */
  readonly calls = new StreamTable<{ stream: ServerHttp2Stream; since: number }>();
  /** Open calls of long-lived methods. */
  readonly longLivedCalls = new Set<ServerHttp2Stream>();
  readonly limits: LimitState;
  readonly #telemetry: Platform["telemetry"];
  readonly #closingListeners = new Set<() => void>();
  #closing = false;

  constructor(
    session: ServerHttp2Session,
    socket: Socket,
    { config, telemetry }: Pick<Platform, "config" | "telemetry">,
  ) {
    this.session = session;
    this.socket = socket;
    this.limits = newLimitState(config);
    this.#telemetry = telemetry;
  }

  /** Every open stream. */
  get streams(): ServerHttp2Stream[] {
    return [...[...this.calls.values()].map(({ stream }) => stream), ...this.longLivedCalls];
  }

  /** Calls the listener when a graceful close starts, or at once if it has started. Returns a function that removes it. */
  onClosing(listener: () => void): () => void {
    this.#closingListeners.add(listener);
    if (this.#closing) listener();
    return () => this.#closingListeners.delete(listener);
  }

  /** Closes the connection after its last call. */
  closeGracefully(reason: CloseReason): void {
    // Node destroys a session after the client's GOAWAY, although its streams are still open.
    if (this.#closing || this.session.destroyed) return;
    this.#closing = true;
    this.#telemetry.grpc.closing(reason);
    // GOAWAY goes first: a client that saw its stream end first could open the next one here.
    closeGracefully(this);
    for (const listener of this.#closingListeners) listener();
  }

  /** Closes the connection at once. */
  destroy(): void {
    this.session.destroy();
    // The session leaves its socket half open until the peer closes it, and a dead peer never does.
    this.socket.destroy();
  }
}
