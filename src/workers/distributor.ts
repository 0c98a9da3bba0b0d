import { createServer } from "node:net";
import type { Server as Listener, Socket } from "node:net";
import type { Server } from "../lifecycle.ts";
import type { WorkerProcess } from "./process.ts";

/**
 * Hands out the connections of a protocol to workers. node:cluster does that, too, but forgets the connection that is on its way to a worker that dies:
 * its client waits for ever. And it closes the port with the last worker, though another one is on its way.
 */
export interface Distributor {
  /** Gives a worker connections from now on. */
  add(worker: WorkerProcess): void;
  /** Gives it no more. */
  remove(worker: WorkerProcess): void;
  /** Not yet listening. */
  listener: Listener;
  drain: Server["drain"];
  /** Resolves when it is drained: no connection is handed out any more. */
  drained: Promise<void>;
  cut: Server["cut"];
}

/**
 * Hands out each connection to the worker that has waited longest for one.
 * @param maxWaiting how many connections may wait for a worker; more are closed at once
 */
export function createDistributor(protocol: string, maxWaiting: number): Distributor {
  const workers = new Set<WorkerProcess>();
  /** Those that have taken all that they were offered. One that is stuck so keeps no more than one connection waiting. */
  const free = new Set<WorkerProcess>();
  const waiting: Socket[] = [];
  let offered = 0;
  let draining = false;
  const drained = Promise.withResolvers<void>();

  const offer = async (worker: WorkerProcess, socket: Socket): Promise<void> => {
    offered++;
    const outcome = await worker.offer(protocol, socket);
    offered--;
    // Here, not there: the worker has a handle of its own.
    if (outcome === "taken") socket.destroy();
    else waiting.unshift(socket);
    if (outcome === "refused") workers.delete(worker);
    // After the others: where it is short of file descriptors, they may not be.
    if (workers.has(worker)) free.add(worker);
    handOut();
  };
  const handOut = (): void => {
    for (const worker of free) {
      const socket = waiting.shift();
      if (!socket) break;
      free.delete(worker);
      void offer(worker, socket);
    }
    const allTaken = waiting.length + offered === 0;
    if (draining && (allTaken || workers.size === 0)) drained.resolve();
  };

  const listener = createServer({ pauseOnConnect: true }, (socket) => {
    socket.on("error", () => {});
    // Otherwise Node keeps books on it with the worker until it is closed there.
    Object.assign(socket, { server: null });
    waiting.push(socket);
    handOut();
  });
  listener.maxConnections = maxWaiting;

  return {
    add: (worker) => {
      workers.add(worker);
      free.add(worker);
      handOut();
    },
    remove: (worker) => {
      workers.delete(worker);
      free.delete(worker);
    },
    listener,
    drained: drained.promise,
    drain: () => {
      listener.close();
      draining = true;
      handOut();
      return drained.promise;
    },
    cut: async () => {
      listener.close();
      const left = waiting.splice(0);
      for (const socket of left) socket.destroy();
      return left.length;
    },
  };
}
