import { Metadata, status, type StatusObject } from "@grpc/grpc-js";
import { ServiceError, toServiceError, type Code } from "../errors.ts";
import { truncate } from "../text.ts";

/** Metadata key of the time to retry after (https://github.com/grpc/proposal/blob/master/A6-client-retries.md#pushback). */
export const PUSHBACK = "grpc-retry-pushback-ms";

/**
 * Maximum length of an error text, in code points: at most 6 KiB percent-encoded. Beyond the header limit of a peer, commonly 8 KiB, it
 * would reset the stream.
 */
const MAX_DETAILS_LENGTH = 512;

/** Converts anything thrown by a handler to the status of its call. gRPC's status codes have the names of the canonical codes. */
export function toStatus(error: unknown): StatusObject {
  const { code, message, retryAfterMs } = toServiceError(error);
  const metadata = new Metadata();
  if (Number.isFinite(retryAfterMs)) metadata.set(PUSHBACK, String(retryAfterMs));
  return { code: status[code], details: truncate(message, MAX_DETAILS_LENGTH), metadata };
}

/** Converts the status of a failed call to the error that its caller gets. */
export function fromStatus({ code, details }: Pick<StatusObject, "code" | "details">, cause: unknown): ServiceError {
  return new ServiceError((status[code] ?? "UNKNOWN") as Code, details, { cause });
}
