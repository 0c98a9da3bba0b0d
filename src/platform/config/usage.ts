import { InvalidArgumentError } from "../../greeter/greeter.ts";

/** The command line or a setting was wrong. */
export class UsageError extends Error {}

/** Runs what reads a setting, so that a bad one counts as wrong usage. */
export function usage<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    return asUsageError(error);
  }
}

/** Throws what was caught; what a setting is wrong by, as wrong usage. */
export function asUsageError(error: unknown): never {
  if (error instanceof InvalidArgumentError) throw new UsageError(error.message, { cause: error });
  throw error;
}
