import { Health, HealthCheckResponse_ServingStatus as ServingStatus } from "../../gen/health/v1/health_pb.ts";
import { ServiceError } from "../errors.ts";
import type { Readiness } from "../lifecycle/readiness.ts";
import { service as declareService, type GrpcService, type Handlers } from "./service.ts";

/**
 * Creates the health service (https://github.com/grpc/grpc/blob/master/doc/health-checking.md).
 * @param services names of the services; each has the health of the server, which is the service ""
 */
export function healthService(readiness: Readiness, services: string[]): GrpcService {
  const known = new Set(["", ...services]);
  const servingStatus = (): ServingStatus =>
    readiness.phase === "serving" ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
  const handlers: Handlers<typeof Health> = {
    check: async ({ service }) => {
      if (!known.has(service)) throw new ServiceError("NOT_FOUND", "Unknown service");
      return { status: servingStatus() };
    },
    list: async () => ({
      statuses: Object.fromEntries([...known].map((service) => [service, { status: servingStatus() }])),
    }),
    // The current status first, then each change. The watch of an unknown service stays open, as the protocol requires.
    async *watch({ service }, { signal }) {
      let sent: ServingStatus | undefined;
      let wake = (): void => {};
      const unsubscribe = readiness.onChange(() => wake());
      signal.addEventListener("abort", () => wake());
      try {
        while (!signal.aborted) {
          const current = known.has(service) ? servingStatus() : ServingStatus.SERVICE_UNKNOWN;
          if (current === sent) await new Promise<void>((resolve) => (wake = resolve));
          else yield { status: (sent = current) };
        }
      } finally {
        unsubscribe();
      }
    },
  };
  const exempt = { exempt: true };
  return declareService(Health, handlers, { check: exempt, list: exempt, watch: { ...exempt, longLived: true } });
}
