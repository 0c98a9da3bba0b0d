import { cp, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, credentials, status } from "@grpc/grpc-js";
import type { ExecutionContext } from "ava";
import { send } from "../platform/http/request.ts";
import { listening, serveProcess } from "../process.ts";
import type { LoggingProcess } from "../process.ts";
import { root } from "../docs.ts";

/** A service that callers can get every status from. */
export interface FailingService {
  service: LoggingProcess;
  addresses: { http: string; grpc: string; admin: string };
}

/** Serves from a checkout without a lockfile, so that the build information fails with 500 and INTERNAL. */
export async function serveFailing(t: ExecutionContext): Promise<FailingService> {
  const folder = await mkdtemp(join(tmpdir(), "greeter-"));
  t.teardown(() => rm(folder, { recursive: true }));
  await cp(join(root, "src"), join(folder, "src"), { recursive: true });
  await cp(join(root, "package.json"), join(folder, "package.json"));
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  const service = serveProcess(t, [], { program: [join(folder, "src/main.ts")] });
  return { service, addresses: await listening(service) };
}

const GREET = "greeter.v1.GreeterService/Greet";
const VERSION = "greeter.v1.GreeterService/Version";

/** One kind of request to a {@link FailingService}. */
interface Kind {
  /** Number of requests in a round. */
  times: number;
  path: string;
  /** Expected status. */
  status: string;
  /** Expected metric labels besides the status. */
  labels: Record<string, string>;
}

/** A round of HTTP requests: one of ten fails. */
export const httpMix: (Kind & { method?: string })[] = [
  { times: 2, path: "/", status: "200", labels: { http_route: "/" } },
  { times: 4, path: "/Ada", status: "200", labels: { http_route: "/{name}" } },
  { times: 2, path: "/%zz", status: "400", labels: { http_route: "/{name}" } },
  { times: 1, path: "/Ada", method: "POST", status: "405", labels: { http_route: "_OTHER" } },
  { times: 1, path: "/version", status: "500", labels: { http_route: "/version", error_type: "500" } },
];

/** A round of gRPC calls: three of ten fail, because an unknown method counts as an error. */
export const grpcMix: (Kind & { message?: string })[] = [
  { times: 5, path: GREET, status: "OK", labels: { rpc_method: GREET } },
  { times: 2, path: GREET, message: "0a00", status: "INVALID_ARGUMENT", labels: { rpc_method: GREET } },
  {
    times: 2,
    path: "x.Y/Z",
    status: "UNIMPLEMENTED",
    labels: { rpc_method: "_OTHER", error_type: "UNIMPLEMENTED" },
  },
  { times: 1, path: VERSION, status: "INTERNAL", labels: { rpc_method: VERSION, error_type: "INTERNAL" } },
];

/** Sends rounds of requests over each protocol, one request after the other. */
export interface Traffic {
  /** Sends a round. Resolves with the duration of each request in seconds, and rejects on an unexpected status. */
  http(): Promise<number[]>;
  /** Sends a round, as {@link http} does. */
  grpc(): Promise<number[]>;
}

/** Creates the callers of a service. */
export function startTraffic(t: ExecutionContext, { http, grpc }: FailingService["addresses"]): Traffic {
  const client = new Client(grpc, credentials.createInsecure(), { "grpc.enable_retries": 0 });
  t.teardown(() => client.close());
  const call = ({ path, message = "" }: { path: string; message?: string }): Promise<string> => {
    const bytes = (value: string): Buffer => Buffer.from(value, "hex");
    return new Promise((resolve) => {
      client.makeUnaryRequest(
        `/${path}`,
        bytes,
        () => true,
        message,
        (error) => resolve(status[error?.code ?? status.OK]),
      );
    });
  };
  const request = async ({ path, ...options }: { path: string; method?: string }): Promise<string> =>
    String((await send(http, path, options)).status);
  return { http: () => sendRound(httpMix, request), grpc: () => sendRound(grpcMix, call) };
}

async function sendRound<K extends Kind>(mix: K[], send: (kind: K) => Promise<string>): Promise<number[]> {
  const durations: number[] = [];
  for (const kind of mix.flatMap((kind) => Array.from({ length: kind.times }, () => kind))) {
    const start = performance.now();
    const answered = await send(kind);
    durations.push((performance.now() - start) / 1000);
    if (answered !== kind.status) throw new Error(`${kind.path} got ${answered}: expected ${kind.status}`);
  }
  return durations;
}
