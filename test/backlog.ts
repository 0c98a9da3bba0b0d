import { once } from "node:events";
import { connect } from "node:net";
import type { LoggingProcess } from "./process.ts";

/**
 * Has 30 clients connect and ask while a service stands still, so that nobody has accepted them when it hears that it is to stop.
 * @returns the first line of each answer; empty where a connection was reset
 */
export async function askWhileStopped(service: LoggingProcess, http: string): Promise<string[]> {
  service.kill("SIGSTOP");
  const sockets = Array.from({ length: 30 }, () => connect(Number(new URL(http).port), "127.0.0.1"));
  const answers = sockets.map(async (socket) => {
    await once(socket, "connect");
    socket.write("GET /Ada HTTP/1.1\r\nHost: here\r\n\r\n");
    const answer = await socket.toArray().catch(() => []);
    return answer.join("").split("\r\n")[0]!;
  });
  await Promise.all(sockets.map((socket) => once(socket, "connect")));
  service.kill("SIGTERM");
  service.kill("SIGCONT");
  return Promise.all(answers);
}
