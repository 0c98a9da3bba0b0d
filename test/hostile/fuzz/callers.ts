import { Agent as PlainAgent, get as getPlain } from "node:http";
import { Agent as TlsAgent, get as getTls } from "node:https";
import { text } from "node:stream/consumers";
import type { DescMethod } from "@bufbuild/protobuf";
import { Client, credentials, status } from "@grpc/grpc-js";
import type { ClientReadableStream, ServiceError } from "@grpc/grpc-js";
import { GreeterService } from "../../../src/gen/greeter/v1/greeter_pb.ts";
import type { GreetResponse, VersionResponse } from "../../../src/gen/greeter/v1/greeter_pb.ts";
import { Health, HealthCheckResponse_ServingStatus } from "../../../src/gen/health/v1/health_pb.ts";
import type { HealthCheckResponse } from "../../../src/gen/health/v1/health_pb.ts";
import { methodDefinition } from "../../../src/platform/grpc/method.ts";
import type { Service } from "./service.ts";

/** Clients of a service, with one connection for each protocol and without retries. */
export interface Callers {
  /** Resolves with the status and the body of a path. */
  http: (path: string, accept: string) => Promise<string>;
  /** Resolves with the greeting, or with INVALID_ARGUMENT. */
  greet: (name: string) => Promise<string>;
  version: () => Promise<string>;
  health: () => Promise<string>;
  /** Opens a health watch. */
  watch: () => ClientReadableStream<HealthCheckResponse>;
  close: () => void;
}

/**
 * Creates the clients of a service.
 * @param timeoutMs timeout of a response, in milliseconds
 */
export function callersOf({ ports, ca }: Pick<Service, "ports" | "ca">, timeoutMs: number): Callers {
  const agent = new (ca ? TlsAgent : PlainAgent)({ keepAlive: true, maxSockets: 1 });
  const client = new Client(`127.0.0.1:${ports.grpc}`, ca ? credentials.createSsl(ca) : credentials.createInsecure(), {
    "grpc.enable_retries": 0,
    "grpc.ssl_target_name_override": "localhost",
  });
  const call = <Answer>(method: DescMethod, request: object): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const { path, requestSerialize, responseDeserialize } = methodDefinition(method);
      const deadline = Date.now() + timeoutMs;
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, { deadline }, (error, answer) =>
        error ? reject(error) : resolve(answer as Answer),
      );
    });
  const { greet, version } = GreeterService.method;

  return {
    http: (path, accept) =>
      new Promise((resolve, reject) => {
        const options = { host: "127.0.0.1", port: ports.http, path, agent, headers: { accept }, timeout: timeoutMs };
        const request = ca ? getTls({ ...options, ca, servername: "localhost" }) : getPlain(options);
        request.on("response", (response) => {
          text(response).then((body) => resolve(`${response.statusCode} ${body.trimEnd()}`), reject);
        });
        request.on("timeout", () => request.destroy(new Error("No response"))).on("error", reject);
      }),
    greet: async (name) => {
      try {
        return (await call<GreetResponse>(greet, { name })).message;
      } catch (error) {
        const { code } = error as ServiceError;
        if (code === status.INVALID_ARGUMENT) return status[code];
        throw error;
      }
    },
    version: async () => JSON.stringify(await call<VersionResponse>(version, {})),
    health: async () =>
      nameOf((await call<HealthCheckResponse>(Health.method.check, { service: GreeterService.typeName })).status),
    watch: () => {
      const { path, requestSerialize, responseDeserialize } = methodDefinition(Health.method.watch);
      return client.makeServerStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        {},
      ) as ClientReadableStream<HealthCheckResponse>;
    },
    close: () => {
      agent.destroy();
      client.close();
    },
  };
}

/** Returns the name of a health status. */
export function nameOf(health: HealthCheckResponse["status"]): string {
  const names = Object.entries(HealthCheckResponse_ServingStatus);
  return names.find(([, number]) => number === health)?.[0] ?? String(health);
}
