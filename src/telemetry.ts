import { pino, stdTimeFunctions } from "pino";
import type { LevelWithSilent, Logger } from "pino";

/** What the rest of the service may log with. */
export type Log = Pick<Logger, "debug" | "info" | "warn" | "error" | "fatal">;

/** What takes the lines of the log. */
export interface Output {
  write(line: string): unknown;
}

/**
 * A log of JSON lines.
 * @param level the least severe messages to log
 */
export function createLog(level: LevelWithSilent, output: Output): Log {
  const options = {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return pino(options, output);
}
