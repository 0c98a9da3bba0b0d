import type { status } from "@grpc/grpc-js";

/** Names of the canonical error codes (https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto). */
export type Code = Exclude<keyof typeof status, "OK">;

export interface ServiceErrorOptions {
  /** Time after which the caller may retry, in milliseconds. */
  retryAfterMs?: number | undefined;
  /** Original error. Callers never see it. */
  cause?: unknown;
}

/** Error of a service, the same on every protocol. Callers see its code and its message. */
export class ServiceError extends Error {
  override readonly name = "ServiceError";
  readonly code: Code;
  readonly retryAfterMs: number | undefined;

  /**
   * @param message names the failed action, quotes the value, and says what is expected; callers see it. Unpaired surrogates are
   *   replaced, because no protocol can encode them
   */
  constructor(code: Code, message: string, { retryAfterMs, cause }: ServiceErrorOptions = {}) {
    super(message.toWellFormed(), cause === undefined ? undefined : { cause });
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Error of a value that breaks a rule. */
export function invalidArgument(message: string, options?: ServiceErrorOptions): ServiceError {
  return new ServiceError("INVALID_ARGUMENT", message, options);
}

/** Reports whether an error is the caller's invalid value. */
export function isInvalidArgument(error: unknown): error is ServiceError {
  return error instanceof ServiceError && error.code === "INVALID_ARGUMENT";
}

/** Converts anything thrown. A value that is no {@link ServiceError} becomes INTERNAL, which hides its text from callers. */
export function toServiceError(error: unknown): ServiceError {
  return error instanceof ServiceError ? error : new ServiceError("INTERNAL", "Internal error", { cause: error });
}

/** Reports whether an error is a failure of the service or of a dependency, which belongs in the log with its cause. */
export function isFailure({ code, cause }: ServiceError): boolean {
  return ["UNKNOWN", "INTERNAL", "DATA_LOSS"].includes(code) || (code === "UNAVAILABLE" && cause !== undefined);
}
