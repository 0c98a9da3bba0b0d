import { Agent, request } from "node:http";
import { text } from "node:stream/consumers";
import { createGreeterClient } from "../../src/grpc/client.ts";
import { send } from "../http/request.ts";
import { steadyCallers } from "../rollout/callers.ts";
import type { Load } from "../rollout/callers.ts";

/** Callers of both protocols, on kept connections and on new ones. */
export interface WorkersLoad extends Load {
  /** Resolves when each kind of caller has had as many answers more. */
  until(more: number): Promise<void>;
}

export function loadOn({ http, grpc }: { http: string; grpc: string }): WorkersLoad {
  const callers = steadyCallers();
  callers.repeat("new connections", async (name) => {
    return (await send(http, `/${encodeURIComponent(name)}`, { accept: "text/plain" })).body.trimEnd();
  });
  for (const kind of ["a kept connection", "another kept connection"]) {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    callers.closeAfter(() => agent.destroy());
    callers.repeat(kind, (name) => ask(agent, http, name));
    const client = createGreeterClient({ target: grpc, timeoutMs: 10_000 });
    callers.closeAfter(() => client.close());
    callers.repeat(`gRPC, ${kind}`, (name) => client.greet(name));
  }
  return {
    ...callers,
    until: async (more) => {
      const from = { ...callers.answered };
      const behind = (): boolean =>
        Object.entries(callers.answered).some(([kind, count]) => count < (from[kind] ?? 0) + more);
      while (behind() && callers.failures.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    },
  };
}

function ask(agent: Agent, origin: string, name: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request(new URL(encodeURIComponent(name), origin), { agent, headers: { accept: "text/plain" } }, (response) => {
      text(response).then((body) => resolve(body.trimEnd()), reject);
    })
      .on("error", reject)
      .end();
  });
}
