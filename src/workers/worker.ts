import type { Server as Listener, Socket } from "node:net";
import { InvalidArgumentError } from "../greeter.ts";
import type { Outcome, Server } from "../lifecycle.ts";
import type { MetricSnapshot } from "../telemetry/metrics.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { ToPrimary, ToWorker } from "./messages.ts";

/** The primary process, to one of its workers. */
export interface Primary {
  /** Which worker this is, from 1 on. */
  worker: number;
  /** Calls the listener with the reason when the worker is to stop: it was told so, or the primary is gone. */
  onStop(listener: (reason: string) => void): void;
  /** Lets it ask for metrics and set the log's level. */
  listen(telemetry: Pick<Telemetry, "readMetrics" | "setLogLevel">): void;
  /** What has a listener, for the lifecycle to start: it listens on no port, and is given the primary's connections of a protocol. */
  serverFor(protocol: string, parts: Pick<Server, "drain" | "cut"> & { listener: Listener }): Server;
  serving(): void;
  draining(): void;
  ended(outcome: Outcome, metrics: MetricSnapshot[]): Promise<void>;
  /**
   * @param error why the worker could not start
   * @returns its exit code
   */
  failed(error: unknown): Promise<number>;
}

/**
 * Connects a worker with the process that started it.
 * @param worker which one it is
 * @throws {Error} no such process started it
 */
export function connectPrimary(worker: number): Primary {
  if (!process.connected) throw new Error("Cannot be a worker: only serve --workers starts them");
  const listeners = new Map<string, (socket: Socket) => void>();
  const offersEnded = Promise.withResolvers<void>();
  process.once("disconnect", offersEnded.resolve);
  const send = (message: ToPrimary): Promise<void> =>
    new Promise((resolve) => {
      // Whether or not it arrives: a primary that is gone needs to hear nothing.
      if (process.connected) process.send!(message, undefined, {}, () => resolve());
      else resolve();
    });
  const take = (protocol: string, socket: Socket | undefined): void => {
    const accept = listeners.get(protocol);
    void send({ type: "connection", protocol, taken: accept !== undefined });
    // None where the client is gone already. One that is not taken stays open: the primary has it too.
    if (socket && accept) accept(socket);
    else socket?.destroy();
  };

  return {
    worker,
    onStop: (listener) => {
      process.on("message", (message: ToWorker) => {
        if (message.type === "stop") listener(message.reason);
        if (message.type === "no-more-connections") offersEnded.resolve();
      });
      if (process.connected) process.once("disconnect", () => listener("primary gone"));
      else listener("primary gone");
    },
    listen: ({ readMetrics, setLogLevel }) => {
      process.on("message", (message: ToWorker, socket?: Socket) => {
        if (message.type === "connection") take(message.protocol, socket);
        if (message.type === "read-metrics") void send({ type: "metrics", id: message.id, metrics: readMetrics() });
        if (message.type === "log-level") setLogLevel(message.level);
      });
    },
    serverFor: (protocol, { listener, drain, cut }) => ({
      protocol,
      cut,
      drain: async () => {
        // What the primary has accepted by now is still to come.
        await offersEnded.promise;
        await drain();
      },
      start: async () => {
        // It looks for requests that are late only from then on.
        listener.emit("listening");
        listeners.set(protocol, acceptOn(listener));
        return undefined;
      },
    }),
    serving: () => void send({ type: "serving" }),
    draining: () => void send({ type: "draining" }),
    ended: ({ cut }, metrics) => {
      listeners.clear();
      return send({ type: "ended", cut, metrics });
    },
    failed: async (error) => {
      const message = error instanceof Error ? error.message : String(error);
      await send({ type: "failed", message, usage: error instanceof InvalidArgumentError });
      return 1;
    },
  };
}

/** Does for a connection what a listener does that has a port. */
function acceptOn(listener: Listener & { allowHalfOpen?: boolean }): (socket: Socket) => void {
  let open = 0;
  return (socket) => {
    if (open >= listener.maxConnections) {
      socket.destroy();
      listener.emit("drop");
      return;
    }
    open++;
    socket.once("close", () => open--);
    socket.setNoDelay(true);
    socket.allowHalfOpen = listener.allowHalfOpen ?? false;
    listener.emit("connection", socket);
  };
}
