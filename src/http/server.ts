import { createServer, STATUS_CODES } from "node:http";
import type { Server } from "node:http";
import type Koa from "koa";

/** Builds the HTTP server of an app; it listens when it is told to. */
export function createHttpServer(app: Koa): Server {
  const answer = app.callback();
  const server = createServer((request, response) => void answer(request, response));

  // What Node's parser refuses never reaches the app. Left to itself, Node closes the connection with a bare status.
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    if (!socket.writable || error.code === "ECONNRESET") {
      socket.destroy();
      return;
    }
    const { status, detail } = refusals[error.code ?? ""] ?? {
      status: 400,
      detail: `Malformed HTTP request: ${error.message}`,
    };
    socket.end(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n` +
        `Connection: close\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(detail) + 1}\r\n\r\n${detail}\n`,
    );
  });
  return server;
}

const refusals: Record<string, { status: number; detail: string }> = {
  HPE_INVALID_URL: { status: 400, detail: "Malformed HTTP request: expected a percent-encoded path" },
  HPE_HEADER_OVERFLOW: { status: 431, detail: "The request's headers are too large" },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, detail: "The request did not arrive in time" },
};
