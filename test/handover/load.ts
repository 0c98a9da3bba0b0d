import { Agent } from "node:http";
import { connect } from "node:http2";
import { connect as connectSocket } from "node:net";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { GreetRequestSchema, GreetResponseSchema } from "../../src/gen/greeter/v1/greeter_pb.ts";
import { createGreeterClient } from "../../src/greeter/client.ts";
import { send } from "../platform/http/request.ts";
import { steadyCallers } from "../rollout/callers.ts";
import type { Load } from "../rollout/callers.ts";

const HTTP_CLIENTS = 16;
const GRPC_CLIENTS = 4;
const KEPT_CONNECTIONS = 2;

/**
 * Sends requests and calls, most of them on a new connection each and a few on kept connections. Clients on new connections do not
 * retry, so that each connection that the kernel resets is a failure.
 */
export function startLoad({ http, grpc }: { http: string; grpc: string }): Load {
  const { repeat, closeAfter, ...load } = steadyCallers();
  for (let client = 0; client < HTTP_CLIENTS; client++) {
    repeat("http, new connection", (name) => getNew(Number(new URL(http).port), name));
  }
  for (let client = 0; client < GRPC_CLIENTS; client++) repeat("grpc, new connection", (name) => greet(grpc, name));
  for (let client = 0; client < KEPT_CONNECTIONS; client++) {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const greeter = createGreeterClient({ target: grpc, timeoutMs: 10_000 });
    closeAfter(() => agent.destroy());
    closeAfter(() => greeter.close());
    repeat("http, kept connection", (name) => getKept(http, name, agent));
    repeat("grpc, kept connection", (name) => greeter.greet(name));
  }
  return load;
}

async function getKept(origin: string, name: string, agent: Agent): Promise<string> {
  return (await send(origin, `/${encodeURIComponent(name)}`, { accept: "text/plain", agent })).body.trimEnd();
}

/** Sends a request on a new connection. A bare socket needs less CPU than an HTTP client and so gives more load. */
function getNew(port: number, name: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connectSocket(port, "127.0.0.1").setEncoding("latin1").on("error", reject);
  socket.write(
    `GET /${encodeURIComponent(name)} HTTP/1.1\r\nHost: x\r\nAccept: text/plain\r\nConnection: close\r\n\r\n`,
  );
  let response = "";
  socket.on("data", (chunk: string) => (response += chunk));
  socket.on("close", () => resolve(response.split("\r\n\r\n")[1]?.trimEnd() ?? `"${response}"`));
  return promise;
}

/** Calls `Greet` on a new connection. Node's HTTP/2 client does not retry. */
function greet(target: string, name: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const session = connect(`http://${target}`).on("error", reject);
  const stream = session.request({
    ":method": "POST",
    ":path": "/greeter.v1.GreeterService/Greet",
    "content-type": "application/grpc",
    te: "trailers",
  });
  const chunks: Buffer[] = [];
  let status: unknown = "none";
  stream.on("error", reject);
  stream.on("trailers", (trailers) => (status = trailers["grpc-status"]));
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.on("close", () => {
    if (status !== "0") reject(new Error(`gRPC status ${String(status)}`));
    else resolve(fromBinary(GreetResponseSchema, Buffer.concat(chunks).subarray(PREFIX_BYTES)).message);
  });
  const message = toBinary(GreetRequestSchema, create(GreetRequestSchema, { name }));
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(message.length, 1);
  stream.end(Buffer.concat([prefix, message]));
  return promise.finally(() => session.destroy());
}

/** The flag and the length before a message (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md). */
const PREFIX_BYTES = 5;
