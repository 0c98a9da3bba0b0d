import { status } from "@grpc/grpc-js";
import { HealthCheckResponse_ServingStatus as ServingStatus } from "../../gen/health/v1/health_pb.ts";
import type { Health } from "../../gen/health/v1/health_pb.ts";
import type { Readiness } from "../lifecycle/readiness.ts";
import type { Implementation } from "./service.ts";
import { StatusError } from "./status.ts";

/**
 * The gRPC health checking protocol (https://github.com/grpc/grpc/blob/master/doc/health-checking.md).
 * @param services the services whose health is that of the server; the server as a whole, "", is one more
 */
export function healthHandlers(readiness: Readiness, services: string[]): Implementation<typeof Health> {
  const known = new Set(["", ...services]);
  const servingStatus = (): ServingStatus =>
    readiness.phase === "serving" ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
  return {
    check: async ({ service }) => {
      if (!known.has(service)) throw new StatusError(status.NOT_FOUND, "Unknown service");
      return { status: servingStatus() };
    },
    list: async () => ({
      statuses: Object.fromEntries([...known].map((service) => [service, { status: servingStatus() }])),
    }),
    // The present status at once, then each change. An unknown service may yet become known, so its watch stays open too.
    async *watch({ service }, { signal }) {
      let told: ServingStatus | undefined;
      let wake = (): void => {};
      const unsubscribe = readiness.onChange(() => wake());
      signal.addEventListener("abort", () => wake());
      try {
        while (!signal.aborted) {
          const current = known.has(service) ? servingStatus() : ServingStatus.SERVICE_UNKNOWN;
          if (current === told) await new Promise<void>((resolve) => (wake = resolve));
          else yield { status: (told = current) };
        }
      } finally {
        unsubscribe();
      }
    },
  };
}
