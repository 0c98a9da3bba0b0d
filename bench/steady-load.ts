import { Agent, get } from "node:http";
import { connect } from "node:http2";
import type { ClientHttp2Session } from "node:http2";

/** Durations of the responses in milliseconds, ascending. */
export interface Answered {
  greeted: number[];
  rejected: number[];
}

/** Sends a request. Resolves with true for a greeting and with false for a rejection, and rejects otherwise. */
type Ask = () => Promise<boolean>;

/**
 * Sends requests at a rate that does not depend on the responses (open loop), as independent callers do.
 * @param rate requests per second on average; the intervals are random
 */
export async function askSteadily(ask: Ask, rate: number, seconds: number): Promise<Answered> {
  const answered: Answered = { greeted: [], rejected: [] };
  const asked: Promise<void>[] = [];
  const askOnce = async (): Promise<void> => {
    const start = performance.now();
    const greeted = await ask();
    (greeted ? answered.greeted : answered.rejected).push(performance.now() - start);
  };
  const end = performance.now() + seconds * 1000;
  // Arrivals of a Poisson process: the intervals have an exponential distribution.
  let next = performance.now();
  while (next < end) {
    if (next > performance.now()) await new Promise((resolve) => setTimeout(resolve, 1));
    for (; next <= performance.now(); next -= (Math.log(1 - Math.random()) / rate) * 1000) asked.push(askOnce());
  }
  await Promise.all(asked);
  for (const times of [answered.greeted, answered.rejected]) times.sort((a, b) => a - b);
  return answered;
}

/** Creates requests on kept connections, as many as needed. */
export function httpAsk(address: string): { ask: Ask; close: () => void } {
  const agent = new Agent({ keepAlive: true });
  const options = { agent, headers: { Accept: "text/plain" } };
  const ask: Ask = () =>
    new Promise((resolve, reject) => {
      get(`http://${address}/Ada`, options, (response) => {
        const { statusCode } = response.resume();
        response.on("end", () => {
          if (statusCode === 200 || statusCode === 503) resolve(statusCode === 200);
          else reject(new Error(`Expected 200 or 503, got ${statusCode}`));
        });
      }).on("error", reject);
    });
  return { ask, close: () => agent.destroy() };
}

/** A gRPC message with its prefix (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md): the name "Ada". */
export const greetAda = Buffer.from([0, 0, 0, 0, 5, 0x0a, 3, 0x41, 0x64, 0x61]);

const OK = "0";
const UNAVAILABLE = "14";

/** Creates calls on ten connections. */
export function grpcAsk(address: string): { ask: Ask; close: () => void } {
  const sessions = Array.from({ length: 10 }, (): ClientHttp2Session => connect(`http://${address}`));
  const headers = {
    ":method": "POST",
    ":path": "/greeter.v1.GreeterService/Greet",
    "content-type": "application/grpc",
    te: "trailers",
  };
  let turn = 0;
  const ask: Ask = () =>
    new Promise((resolve, reject) => {
      const stream = sessions[turn++ % sessions.length]!.request(headers);
      let status: unknown;
      for (const event of ["response", "trailers"]) {
        stream.on(event, (received: Record<string, unknown>) => (status = received["grpc-status"] ?? status));
      }
      stream.on("error", reject).on("close", () => {
        if (status === OK || status === UNAVAILABLE) resolve(status === OK);
        else reject(new Error(`Expected OK or UNAVAILABLE, got ${String(status)}`));
      });
      stream.resume().end(greetAda);
    });
  return { ask, close: () => sessions.forEach((session) => session.destroy()) };
}
