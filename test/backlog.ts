import { once } from "node:events";
import { connect } from "node:net";
import type { LoggingProcess } from "./process.ts";

/**
 * Connects 30 clients and sends their requests while a service is stopped, so that they wait in its accept queue when it gets SIGTERM.
 * @param path path that the clients request
 * @returns first line of each response; empty if the connection was reset
 */
export async function requestWhileStopped(service: LoggingProcess, http: string, path: string): Promise<string[]> {
  service.kill("SIGSTOP");
  const sockets = Array.from({ length: 30 }, () => connect(Number(new URL(http).port), "127.0.0.1"));
  const statusLines = sockets.map(async (socket) => {
    await once(socket, "connect");
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    const response = await socket.toArray().catch(() => []);
    return response.join("").split("\r\n")[0]!;
  });
  await Promise.all(sockets.map((socket) => once(socket, "connect")));
  service.kill("SIGTERM");
  service.kill("SIGCONT");
  return Promise.all(statusLines);
}
