import { readFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { text } from "node:stream/consumers";
import { createGreeterClient } from "../../src/greeter/client.ts";
import { steadyCallers } from "../rollout/callers.ts";
import type { Load } from "../rollout/callers.ts";
import type { Nginx } from "./nginx.ts";

/** Calls both protocols by way of a proxy all the time, over kept and over new connections. */
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
    const client = createGreeterClient({ target: `localhost:${port}`, timeoutMs: 10_000, tls: { ca: authority } });
    closeAfter(() => client.close());
    for (let caller = 0; caller < 2; caller++) repeat("grpc", (name) => client.greet(name));
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
 * The text at a path. A kept connection may be closed by its server just when a request is sent on it: browsers and curl then ask
 * again on another (https://www.rfc-editor.org/rfc/rfc9112#section-9.3.1), and so does this.
 */
async function getText(get: Get): Promise<string> {
  for (;;) {
    const answer = await askOnce(get);
    if (answer !== undefined) return answer;
  }
}

/** Undefined where the connection was an old one, and closed before anything came. */
function askOnce({ port, agent, path }: Get): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: "localhost", port, agent, path, headers: { accept: "text/plain" } }, (response) => {
      text(response).then((body) => resolve(body.trimEnd()), reject);
    });
    const failed = (error: NodeJS.ErrnoException): void =>
      sent.reusedSocket && error.code === "ECONNRESET" ? resolve(undefined) : reject(error);
    sent.on("error", failed).end();
  });
}
