import { Metadata, status } from "@grpc/grpc-js";
import {
  DeadlineExceededError,
  InvalidArgumentError,
  OverloadedError,
  UnavailableError,
} from "../../greeter/greeter.ts";

/** How a call ends: a gRPC status code, and a text that the caller sees. */
export interface CallStatus {
  code: status;
  details: string;
  /** What else the caller is told. */
  metadata?: Metadata;
}

/** When a client may try again (https://github.com/grpc/proposal/blob/master/A6-client-retries.md#pushback). */
export const PUSHBACK = "grpc-retry-pushback-ms";

/** A handler's own word on how its call ends, where the domain has no error for it: gRPC's standard services have such cases. */
export class StatusError extends Error implements CallStatus {
  override readonly name = "StatusError";
  readonly code: status;
  readonly details: string;

  constructor(code: status, details: string) {
    super(details);
    this.code = code;
    this.details = details;
  }
}

/** The one table between the domain's errors and gRPC's codes (https://grpc.io/docs/guides/status-codes/), read both ways. */
const table = [
  [InvalidArgumentError, status.INVALID_ARGUMENT],
  [UnavailableError, status.UNAVAILABLE],
  [DeadlineExceededError, status.DEADLINE_EXCEEDED],
] as const;

/** The status of a call whose handler threw `error`. What is not the domain's becomes INTERNAL and shows no detail. */
export function toStatus(error: unknown): CallStatus {
  if (error instanceof StatusError) return { code: error.code, details: error.details };
  for (const [DomainError, code] of table) {
    if (!(error instanceof DomainError)) continue;
    const metadata = new Metadata();
    if (error instanceof OverloadedError) metadata.set(PUSHBACK, String(error.retryAfterMs));
    return { code, details: error.message, metadata };
  }
  return { code: status.INTERNAL, details: "Internal error" };
}

/** The error that a caller sees for a call that ended with a status other than OK; the original is its cause. */
export function fromStatus({ code, details }: CallStatus, cause: unknown): Error {
  const DomainError = table.find(([, known]) => known === code)?.[0];
  return DomainError ? new DomainError(details, { cause }) : new Error(`${status[code]}: ${details}`, { cause });
}
