import { Agent, request } from "node:http";
import { text } from "node:stream/consumers";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { Client, credentials } from "@grpc/grpc-js";
import { GreeterService } from "../../src/gen/greeter/v1/greeter_pb.ts";
import { Health } from "../../src/gen/health/v1/health_pb.ts";
import type { GreetResponse } from "../../src/gen/greeter/v1/greeter_pb.ts";
import { createGreeterClient } from "../../src/greeter/client.ts";
import { createContext } from "../../src/platform/context.ts";
import { methodDefinition } from "../../src/platform/grpc/method.ts";
import { steadyCallers } from "./callers.ts";
import type { Load } from "./callers.ts";

/** Sends requests over both protocols without a pause, as every kind of client does: on new and kept connections, with open health watches. */
export function startLoad({ http, grpc }: { http: string; grpc: string }): Load {
  const callers = steadyCallers();
  const { answered, failures, signal, repeat, add, closeAfter } = callers;

  const keptHttp = (): void => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    closeAfter(() => agent.destroy());
    repeat("http, kept connection", (name) => getText(http, name, agent));
  };
  const newHttp = (): void => repeat("http, new connection", (name) => getText(http, name, false));

  const grpcJs = (): void => {
    const client = createGreeterClient({ target: grpc });
    closeAfter(() => client.close());
    const greet = (name: string): Promise<string> =>
      client.greet(name, createContext({ deadline: Date.now() + 10_000 }));
    for (let caller = 0; caller < 2; caller++) repeat("grpc-js", greet);
  };
  /** Calls without the retries of the greeter's client, so that every rejected call counts. */
  const grpcJsWithoutRetries = (): void => {
    const client = new Client(grpc, credentials.createInsecure(), { "grpc.enable_retries": 0 });
    closeAfter(() => client.close());
    const { path, requestSerialize, responseDeserialize } = methodDefinition(GreeterService.method.greet);
    const greet = (name: string): Promise<string> =>
      new Promise((resolve, reject) => {
        client.makeUnaryRequest(path, requestSerialize, responseDeserialize, { name }, (error, response) =>
          error ? reject(error) : resolve((response as GreetResponse).message),
        );
      });
    repeat("grpc-js without retries", (name) => retryRefused(() => greet(name)));
  };
  const connectNode = (): void => {
    const sessionManager = new Http2SessionManager(`http://${grpc}`);
    const transport = createGrpcTransport({ baseUrl: `http://${grpc}`, sessionManager });
    closeAfter(() => sessionManager.abort());
    const client = createClient(GreeterService, transport);
    const health = createClient(Health, transport);
    repeat("connect-node", async (name) => (await retryRefused(() => client.greet({ name }))).message);
    for (let watcher = 0; watcher < 3; watcher++) add(watch(health));
  };

  /** Watches the health, and watches again when the server ends the stream with UNAVAILABLE. */
  const watch = async (health: ReturnType<typeof createClient<typeof Health>>): Promise<void> => {
    answered["watches ended"] ??= 0;
    while (!signal.aborted) {
      try {
        for await (const _ of health.watch({}, { signal: signal }));
        failures.push("watch: ended with OK: expected UNAVAILABLE");
      } catch (error) {
        if (signal.aborted) return;
        if (ConnectError.from(error).code === Code.Unavailable) answered["watches ended"] += 1;
        else if (isRefused(error)) continue;
        else failures.push(`watch: ${String(error)}`);
      }
    }
  };

  for (const start of [
    keptHttp,
    keptHttp,
    keptHttp,
    newHttp,
    newHttp,
    grpcJs,
    grpcJs,
    grpcJsWithoutRetries,
    connectNode,
  ])
    start();
  return callers;
}

/**
 * Repeats calls that Node's HTTP/2 client refuses because a GOAWAY arrived before it sent them. They are safe to repeat
 * (https://www.rfc-editor.org/rfc/rfc9113#section-8.7). gRPC's clients repeat them if retries are enabled; connect-node leaves it to callers.
 */
async function retryRefused<Answer>(call: () => Promise<Answer>): Promise<Answer> {
  try {
    return await call();
  } catch (error) {
    if (isRefused(error)) return retryRefused(call);
    throw error;
  }
}

function isRefused(error: unknown): boolean {
  return String(error).includes("NGHTTP2_REFUSED_STREAM");
}

function getText(origin: string, name: string, agent: Agent | false): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(origin);
    const path = `/${encodeURIComponent(name)}`;
    request({ hostname, port, path, agent, headers: { accept: "text/plain" } }, (response) => {
      text(response).then((body) => resolve(body.trimEnd()), reject);
    })
      .on("error", reject)
      .end();
  });
}
