import { readFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { text } from "node:stream/consumers";
import { createGreeterClient } from "../../src/greeter/client.ts";
import { createContext } from "../../src/platform/context.ts";
import { steadyCallers } from "../rollout/callers.ts";
import type { Load } from "../rollout/callers.ts";
import type { Nginx } from "./nginx.ts";

/** Sends requests through a proxy without a pause, over both protocols, on kept and on new connections. */
export function startLoad({ port, ca }: Pick<Nginx, "port" | "ca">): Load {
  const callers = steadyCallers();
  const { repeat, closeAfter } = callers;
  const authority = readFileSync(ca);

  const http = (kind: string, keepAlive: boolean): void => {
    const agent = new Agent({ keepAlive, maxSockets: 1, ca: authority });
    closeAfter(() => agent.destroy());
    repeat(kind, (name) => getText({ port, agent, path: `/${encodeURIComponent(name)}` }));
  };
  const grpc = (): void => {
    const client = createGreeterClient({ target: `localhost:${port}`, tls: { ca: authority } });
    closeAfter(() => client.close());
    const greet = (name: string): Promise<string> =>
      client.greet(name, createContext({ deadline: Date.now() + 10_000 }));
    for (let caller = 0; caller < 2; caller++) repeat("grpc", greet);
  };

  http("http, kept connection", true);
  http("http, kept connection", true);
  http("http, new connection", false);
  grpc();
  grpc();
  return callers;
}

interface Get {
  port: number;
  agent: Agent;
  path: string;
}

/**
 * Requests a path, and resolves with the text. A server may close a kept connection while a client sends a request on it. This repeats the
 * request on another connection, as browsers and curl do (https://www.rfc-editor.org/rfc/rfc9112#section-9.3.1).
 */
async function getText(get: Get): Promise<string> {
  for (;;) {
    const answer = await getOnce(get);
    if (answer !== undefined) return answer;
  }
}

/** Resolves with undefined if a kept connection was closed before the response. */
function getOnce({ port, agent, path }: Get): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: "localhost", port, agent, path, headers: { accept: "text/plain" } }, (response) => {
      text(response).then((body) => resolve(body.trimEnd()), reject);
    });
    const failed = (error: NodeJS.ErrnoException): void =>
      sent.reusedSocket && error.code === "ECONNRESET" ? resolve(undefined) : reject(error);
    sent.on("error", failed).end();
  });
}
