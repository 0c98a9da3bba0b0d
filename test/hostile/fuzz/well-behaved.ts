import { setTimeout as sleep } from "node:timers/promises";
import { callersOf, nameOf } from "./callers.ts";
import type { Service } from "./service.ts";

/** Maximum latency of a response, in milliseconds: far more than a busy machine needs. */
const MAX_LATENCY_MS = 5000;

/** Pause between two requests, in milliseconds. */
const REQUEST_INTERVAL_MS = 5;

/** Number of additional concurrent callers after {@link WellBehaved.speedUp}. */
const ADDITIONAL_CALLERS = 16;

/** A client that sends only valid requests, and expects correct responses. */
export interface WellBehaved {
  /** Number of correct responses, and the slowest in milliseconds, by surface. */
  seen: Record<string, { answers: number; slowest: number }>;
  /** Returns the number of completed rounds of requests. */
  rounds: () => number;
  /** Sends more requests, without a pause. */
  speedUp: () => void;
  /** Stops sending, and keeps the connections: one for HTTP, one for gRPC with an open health watch. */
  pause(): Promise<void>;
  close(): void;
}

/**
 * Sends requests to every surface of a service, on kept connections and without retries.
 * @param onFailure called for every error, and for every wrong or late response
 */
export function behaveWell(
  service: Pick<Service, "name" | "ports" | "ca">,
  onFailure: (what: string) => void,
): WellBehaved {
  const { name } = service;
  const callers = callersOf(service, 2 * MAX_LATENCY_MS);
  const seen: WellBehaved["seen"] = {};
  const stopping = new AbortController();
  const rounds = { http: 0, grpc: 0 };
  let interval = REQUEST_INTERVAL_MS;

  const ask = async (surface: string, expected: string, answer: () => Promise<string>): Promise<void> => {
    const counts = (seen[surface] ??= { answers: 0, slowest: 0 });
    const start = performance.now();
    try {
      const got = await answer();
      if (got === expected) counts.answers += 1;
      else onFailure(`${name} ${surface}: expected ${expected}, got ${got}`);
    } catch (error) {
      onFailure(`${name} ${surface}: ${String(error)}`);
    }
    const milliseconds = performance.now() - start;
    counts.slowest = Math.max(counts.slowest, milliseconds);
    if (milliseconds > MAX_LATENCY_MS) onFailure(`${name} ${surface}: took more than ${MAX_LATENCY_MS} ms`);
    await sleep(interval);
  };

  const askHttp = async (): Promise<void> => {
    const { http } = callers;
    const version = await http("/version", "application/json");
    for (let count = 0; !stopping.signal.aborted; rounds.http = count += 1) {
      await ask("HTTP text", `200 Hello, Ada ${count}!`, () => http(`/Ada%20${count}`, "text/plain"));
      await ask("HTTP JSON", `200 {"message":"Hello, ${count}!"}`, () => http(`/${count}`, "application/json"));
      await ask("HTTP version", version, () => http("/version", "application/json"));
      await ask("HTTP bad name", "400", async () => (await http("/%00", "text/plain")).slice(0, 3));
    }
  };
  const askGrpc = async (): Promise<void> => {
    const { greet, version, health } = callers;
    const first = await version();
    for (let count = 0; !stopping.signal.aborted; rounds.grpc = count += 1) {
      await ask("gRPC greet", `Hello, Ada ${count}!`, () => greet(`Ada ${count}`));
      await ask("gRPC version", first, version);
      await ask("gRPC health", "SERVING", health);
      await ask("gRPC bad name", "INVALID_ARGUMENT", () => greet("\0"));
    }
  };
  const start = (loop: () => Promise<void>): Promise<void> =>
    loop().catch((error: unknown) => onFailure(`${name}: ${String(error)}`));

  const watch = (): void => {
    const counts = (seen["gRPC watch"] ??= { answers: 0, slowest: 0 });
    const fail = (how: string): void => {
      if (!stopping.signal.aborted) onFailure(`${name} gRPC watch: ${how}`);
    };
    callers
      .watch()
      .on("data", ({ status }) => {
        if (nameOf(status) === "SERVING") counts.answers += 1;
        else fail(`got ${nameOf(status)}`);
      })
      .on("error", (error) => fail(String(error)))
      .on("end", () => fail("ended"));
  };
  watch();
  const asking = [askHttp, askGrpc].map(start);

  return {
    seen,
    rounds: () => Math.min(rounds.http, rounds.grpc),
    speedUp: () => {
      interval = 0;
      asking.push(...Array.from({ length: ADDITIONAL_CALLERS }, () => start(askGrpc)));
    },
    pause: async () => {
      stopping.abort();
      await Promise.all(asking);
    },
    close: callers.close,
  };
}
