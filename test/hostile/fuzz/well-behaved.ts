import { setTimeout as sleep } from "node:timers/promises";
import { callersOf, nameOf } from "./callers.ts";
import type { Service } from "./service.ts";

/** How long an answer may take at most, in milliseconds: far more than it needs, on a machine that others use, too. */
export const MAX_LATENCY = 5000;

/** How long it rests between two requests, in milliseconds. */
const PAUSE = 5;

/** How many calls more it has on the way when it makes haste. */
const HASTE = 16;

/** A client that does everything right, all the time, and may expect the same. */
export interface WellBehaved {
  /** How many answers it got on each surface, and how long the slowest took, in milliseconds. */
  seen: Record<string, { answers: number; slowest: number }>;
  /** How often it has asked everything. */
  rounds: () => number;
  /** Asks more, and without rest, from now on. */
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
  service: Pick<Service, "name" | "ports" | "ca">,
  onFailure: (what: string) => void,
): WellBehaved {
  const { name } = service;
  const callers = callersOf(service, 2 * MAX_LATENCY);
  const seen: WellBehaved["seen"] = {};
  const stopping = new AbortController();
  const rounds = { http: 0, grpc: 0 };
  let pause = PAUSE;

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
    if (milliseconds > MAX_LATENCY) onFailure(`${name} ${surface}: took more than ${MAX_LATENCY} ms`);
    await sleep(pause);
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
        else fail(`told ${nameOf(status)}`);
      })
      .on("error", (error) => fail(String(error)))
      .on("end", () => fail("ended"));
  };
  watch();
  const asking = [askHttp, askGrpc].map(start);

  return {
    seen,
    rounds: () => Math.min(rounds.http, rounds.grpc),
    hurry: () => {
      pause = 0;
      asking.push(...Array.from({ length: HASTE }, () => start(askGrpc)));
    },
    pause: async () => {
      stopping.abort();
      await Promise.all(asking);
    },
    close: callers.close,
  };
}
