import { get } from "node:http";
import { connect } from "node:http2";
import { frame } from "./frame.ts";
import type { Scenario } from "./subjects.ts";

/** A response: the status of HTTP or of gRPC, and the body, which is a framed message over gRPC. */
interface Answer {
  status: unknown;
  body: Buffer;
}

/**
 * Sends one request on a new connection, and checks the whole response. wrk and h2load check only the HTTP status, which is 200 for a failed
 * gRPC call too.
 * @throws {Error} there was no response, or not the scenario's
 */
export async function ask(scenario: Scenario, port: number): Promise<void> {
  const { protocol, path, answer } = scenario;
  const { status, body } = await (protocol === "http" ? askOverHttp(scenario, port) : askOverGrpc(scenario, port));
  const got = protocol === "http" ? body.toString() : body.subarray(5).toString("hex");
  const expected = protocol === "http" ? 200 : "0";
  if (status !== expected || !answer.test(got))
    throw new Error(
      `${path} on port ${port}: expected ${protocol} status ${expected} and ${String(answer)}, got ${String(status)} and "${got.slice(0, 200)}"`,
    );
}

function askOverHttp({ path, accept }: Scenario, port: number): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const options = { host: "127.0.0.1", port, path, agent: false, headers: { Accept: accept } };
  get(options, (response) => {
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", reject);
    response.on("end", () => resolve({ status: response.statusCode, body: Buffer.concat(chunks) }));
  }).on("error", reject);
  return promise;
}

function askOverGrpc({ path, message }: Scenario, port: number): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const session = connect(`http://127.0.0.1:${port}`).on("error", reject);
  const headers = { ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers" };
  const stream = session.request(headers).on("error", reject);
  let status: unknown;
  const chunks: Buffer[] = [];
  // The response to a call without messages has its status in the headers.
  for (const event of ["response", "trailers"]) {
    stream.on(event, (received: Record<string, unknown>) => (status = received["grpc-status"] ?? status));
  }
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.on("close", () => resolve({ status, body: Buffer.concat(chunks) }));
  stream.end(frame(message));
  return promise.finally(() => session.destroy());
}
