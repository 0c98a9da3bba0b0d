import { Agent as PlainAgent, get as getPlain } from "node:http";
import { Agent as TlsAgent, get as getTls } from "node:https";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import type { DescMethod } from "@bufbuild/protobuf";
import { Client, credentials, status } from "@grpc/grpc-js";
import type { ServiceError } from "@grpc/grpc-js";
import { GreeterService } from "../../../src/gen/greeter/v1/greeter_pb.ts";
import type { GreetResponse, VersionResponse } from "../../../src/gen/greeter/v1/greeter_pb.ts";
import { Health, HealthCheckResponse_ServingStatus } from "../../../src/gen/health/v1/health_pb.ts";
import type { HealthCheckResponse } from "../../../src/gen/health/v1/health_pb.ts";
import { methodDefinition } from "../../../src/grpc/method.ts";
import type { Service } from "./service.ts";

/** How long an answer may take at most, in milliseconds: far more than it needs, on a machine that others use, too. */
export const MAX_LATENCY = 5000;

/** How long it rests between two requests, in milliseconds. */
const PAUSE = 5;

/** A client that does everything right, all the time, and may expect the same. */
export interface WellBehaved {
  /** How many answers it got on each surface, and how long the slowest took, in milliseconds. */
  seen: Record<string, { answers: number; slowest: number }>;
  /** How often it has asked everything. */
  rounds: () => number;
  /** Asks without rest from now on. */
  hurry: () => void;
  /** Asks no more, and keeps its connections: one for HTTP, one for gRPC with an open health watch. */
  pause(): Promise<void>;
  close(): void;
}

/**
 * Asks a service on every surface, over kept connections and without retries.
 * @param onFailure hears of every error and of every wrong or late answer: there should be none
 */
export function behaveWell(
  { name, ports, ca }: Pick<Service, "name" | "ports" | "ca">,
  onFailure: (what: string) => void,
): WellBehaved {
  const seen: WellBehaved["seen"] = {};
  const stopping = new AbortController();
  let pause = PAUSE;
  const rounds = { http: 0, grpc: 0 };
  const agent = new (ca ? TlsAgent : PlainAgent)({ keepAlive: true, maxSockets: 1 });
  const http = (path: string, accept: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const options = {
        host: "127.0.0.1",
        port: ports.http,
        path,
        agent,
        headers: { accept },
        timeout: 2 * MAX_LATENCY,
      };
      const request = ca ? getTls({ ...options, ca, servername: "localhost" }) : getPlain(options);
      request.on("response", (response) => {
        text(response).then((body) => resolve(`${response.statusCode} ${body.trimEnd()}`), reject);
      });
      request.on("timeout", () => request.destroy(new Error("No answer"))).on("error", reject);
    });

  const client = new Client(`127.0.0.1:${ports.grpc}`, ca ? credentials.createSsl(ca) : credentials.createInsecure(), {
    "grpc.enable_retries": 0,
    "grpc.ssl_target_name_override": "localhost",
    // A connection that is lost is opened again at once, and counted as a failure only where a call was on it.
    "grpc.initial_reconnect_backoff_ms": 100,
  });
  const grpc = <Answer>(method: DescMethod, request: object): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const { path, requestSerialize, responseDeserialize } = methodDefinition(method);
      const deadline = Date.now() + 2 * MAX_LATENCY;
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, { deadline }, (error, answer) =>
        error ? reject(error) : resolve(answer as Answer),
      );
    });

  const ask = async (surface: string, expected: string, answer: () => Promise<string>): Promise<void> => {
    const counts = (seen[surface] ??= { answers: 0, slowest: 0 });
    const start = performance.now();
    try {
      const got = await answer();
      if (got !== expected) onFailure(`${name} ${surface}: expected ${expected}, got ${got}`);
      else counts.answers += 1;
    } catch (error) {
      onFailure(`${name} ${surface}: ${String(error)}`);
    }
    const milliseconds = performance.now() - start;
    counts.slowest = Math.max(counts.slowest, milliseconds);
    if (milliseconds > MAX_LATENCY) onFailure(`${name} ${surface}: took more than ${MAX_LATENCY} ms`);
    await sleep(pause);
  };

  const askHttp = async (): Promise<void> => {
    const version = await http("/version", "application/json");
    for (let count = 0; !stopping.signal.aborted; rounds.http = count += 1) {
      await ask("HTTP text", `200 Hello, Ada ${count}!`, () => http(`/Ada%20${count}`, "text/plain"));
      await ask("HTTP JSON", `200 {"message":"Hello, ${count}!"}`, () => http(`/${count}`, "application/json"));
      await ask("HTTP version", version, () => http("/version", "application/json"));
      await ask("HTTP bad name", "400", async () => (await http("/%00", "text/plain")).slice(0, 3));
    }
  };
  const askGrpc = async (): Promise<void> => {
    const greet = async (given: object): Promise<string> =>
      (await grpc<GreetResponse>(GreeterService.method.greet, given)).message;
    const version = async (): Promise<string> =>
      JSON.stringify(await grpc<VersionResponse>(GreeterService.method.version, {}));
    const health = async (): Promise<string> => {
      const { status } = await grpc<HealthCheckResponse>(Health.method.check, { service: GreeterService.typeName });
      return statusName(status);
    };
    const first = await version();
    for (let count = 0; !stopping.signal.aborted; rounds.grpc = count += 1) {
      await ask("gRPC greet", `Hello, Ada ${count}!`, () => greet({ name: `Ada ${count}` }));
      await ask("gRPC version", first, version);
      await ask("gRPC health", "SERVING", health);
      await ask("gRPC bad name", "INVALID_ARGUMENT", () => greet({ name: "\0" }).catch(codeOf));
    }
  };
  const watch = (): void => {
    const { path, requestSerialize, responseDeserialize } = methodDefinition(Health.method.watch);
    const watching = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, {});
    const fail = (how: string): void => {
      if (!stopping.signal.aborted) onFailure(`${name} gRPC watch: ${how}`);
    };
    const counts = (seen["gRPC watch"] ??= { answers: 0, slowest: 0 });
    watching.on("data", ({ status }: HealthCheckResponse) => {
      if (status === HealthCheckResponse_ServingStatus.SERVING) counts.answers += 1;
      else fail(`told ${statusName(status)}`);
    });
    watching.on("error", (error) => fail(String(error)));
    watching.on("end", () => fail("ended"));
  };
  watch();
  const asking = [askHttp, askGrpc].map((loop) =>
    loop().catch((error: unknown) => onFailure(`${name}: ${String(error)}`)),
  );

  return {
    seen,
    rounds: () => Math.min(rounds.http, rounds.grpc),
    hurry: () => (pause = 0),
    pause: async () => {
      stopping.abort();
      await Promise.all(asking);
    },
    close: () => {
      agent.destroy();
      client.close();
    },
  };
}

/** The name of the status that a call ended with. */
function codeOf(error: unknown): string {
  return status[(error as ServiceError).code] ?? String(error);
}

function statusName(status: HealthCheckResponse["status"]): string {
  const names = Object.entries(HealthCheckResponse_ServingStatus);
  return names.find(([, number]) => number === status)?.[0] ?? String(status);
}
