import { createServer } from "node:http";
import type Koa from "koa";
import type { ListeningServer } from "../lifecycle/server-at.ts";

/** Creates the admin server. */
export function createAdminServer(app: Koa): ListeningServer {
  const handle = app.callback();
  const listener = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  return {
    listener,
    // The server answers until the process ends.
    drain: async () => {},
    cut: async () => {
      listener.close();
      listener.closeAllConnections();
      return 0;
    },
  };
}
