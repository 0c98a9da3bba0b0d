import type { ExecutionContext } from "ava";
import { send } from "../http/request.ts";
import { listening, serveProcess } from "../process.ts";
import type { LoggingProcess } from "../process.ts";

/** A service with workers that all serve. */
export interface Service {
  process: LoggingProcess;
  http: string;
  grpc: string;
  admin: string;
  /** The process id of the last worker with this number. */
  pidOf: (worker: number) => number;
  /** Resolves when as many workers have begun to serve as that, replacements among them. */
  haveServed: (count: number) => Promise<void>;
  /** The value of a metric, summed over its series. */
  metric: (name: string) => Promise<number>;
}

export async function serveWithWorkers(
  t: Pick<ExecutionContext, "teardown">,
  flags: string[] = [],
  { count = 2, ...options }: { count?: number; env?: NodeJS.ProcessEnv; openFiles?: number } = {},
): Promise<Service> {
  const process = serveProcess(t, ["--workers", String(count), ...flags], options);
  const addresses = await listening(process);
  const served = (): typeof process.lines => process.lines.filter(({ msg }) => msg === "Worker serves");
  await process.logged(({ msg, worker }) => msg === "Serving" && worker === undefined);
  return {
    process,
    ...addresses,
    pidOf: (worker) => Number(served().findLast((line) => line["worker"] === worker)!["pid"]),
    haveServed: async (wanted) => void (await process.logged(() => served().length >= wanted)),
    metric: async (name) => {
      const { body } = await send(addresses.admin, "/metrics");
      const samples = body.matchAll(/^(\w+)(?:\{.*\})? (\S+)$/gm);
      return [...samples].filter(([, found]) => found === name).reduce((sum, [, , value]) => sum + Number(value), 0);
    },
  };
}
