import { isInvalidArgument } from "../errors.ts";

/** Error of a wrong command line or setting; the exit code is 2. */
export class UsageError extends Error {}

/** Calls `read`, and rethrows an invalid value as wrong usage. */
export function usage<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    return asUsageError(error);
  }
}

/** Rethrows an error: an invalid value as {@link UsageError}, anything else as it is. */
export function asUsageError(error: unknown): never {
  if (isInvalidArgument(error)) throw new UsageError(error.message, { cause: error });
  throw error;
}
