import { pino, stdTimeFunctions } from "pino";
import type { LevelWithSilent, Logger } from "pino";
import { prettyOutput } from "./pretty.ts";

/** What the rest of the service may log with. Its level may change at any time. */
export type Log = Pick<Logger, "debug" | "info" | "warn" | "error" | "fatal" | "flush"> & { level: string };

/** What takes the lines of the log. */
export interface Output {
  write(text: string): unknown;
  /** Somebody sits there and reads. */
  isTTY?: boolean;
}

/**
 * A log of JSON lines; on a terminal, of lines for people.
 * @param level the least severe messages to log
 */
export function createLog(level: LevelWithSilent, output: Output): Log {
  const options = {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return pino(options, output.isTTY ? prettyOutput(output) : inOneWrite(output));
}

/**
 * Writes what was logged in one turn of the event loop at its end, in one piece: a write to a pipe is a system call, which costs more
 * than all else that is done for a line. Nothing waits longer than that turn.
 */
function inOneWrite(output: Output): Output & { flush(): void } {
  let lines = "";
  const flush = (): void => {
    if (lines === "") return;
    const text = lines;
    lines = "";
    output.write(text);
  };
  return {
    flush,
    write: (line) => {
      if (lines === "") setImmediate(flush);
      lines += line;
    },
  };
}
