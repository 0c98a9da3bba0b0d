import { pino } from "pino";
import type { LevelWithSilent, Logger } from "pino";

/** How severe what is logged may be. */
export type Level = "debug" | "info" | "warn" | "error" | "fatal";

/** What the rest of the service may log with. Its level may change at any time. */
export interface Log extends Pick<Logger, Level | "flush"> {
  level: string;
  /**
   * Logs what there is a line of for each request. It is put together later, with the others of the same moment: that is several times
   * as fast as one by one between all else that a request needs, and pino's own way takes longer still.
   * @param write gives the line's fields as JSON, without the braces around them; it must not hold on to more than it needs
   */
  later<Record>(level: Level, message: string, record: Record, write: (record: Record) => string): void;
}

/** What takes the lines of the log. */
export interface Output {
  write(text: string): unknown;
  /** Somebody sits there and reads. */
  isTTY?: boolean;
}

/**
 * Creates a log of JSON lines.
 * @param level minimum log level
 */
export function createLog(level: LevelWithSilent, output: Output): Log {
  const options = {
    level,
    base: null,
    timestamp: () => timeField(Date.now()),
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const destination = inOneWrite(output);
  const log = pino(options, destination);
  const later: Log["later"] = (severity, message, record, write) => {
    if (log.isLevelEnabled(severity)) destination.later({ severity, time: Date.now(), message, record, write });
  };
  return Object.assign(log, { later });
}

/** Formats the lines of the log for a terminal; pino-pretty is loaded only for that. */
export async function terminalOutput(output: Output): Promise<Output> {
  const { prettyFactory } = await import("pino-pretty");
  const format = prettyFactory({
    colorize: process.stdout.hasColors?.() ?? false,
    translateTime: "SYS:HH:MM:ss",
    singleLine: true,
    messageFormat: (log, messageKey) => {
      const { method, path, status, duration_ms } = log as Record<string, string>;
      const summary = [method, path, status].filter((part) => part !== undefined).join(" ");
      return duration_ms === undefined ? String(log[messageKey]) : `${summary} in ${duration_ms} ms`;
    },
  });
  return { write: (lines) => output.write(printableJson(lines).trimEnd().split("\n").map(format).join("")) };
}

/** Replaces the control characters in the strings of JSON lines: text from a caller must not control the terminal. */
function printableJson(lines: string): string {
  return lines.replaceAll(/\\u00(?:[01][\da-f]|7f)|\\[bfrt]|[\u007f-\u009f]/gi, "\uFFFD");
}

/** How long a line may wait for the next ones, in milliseconds. */
const INTERVAL = 10;

let lastTime = 0;
let lastField = "";

/** A time, in milliseconds since 1970, as a field of the line in ISO 8601. It is made anew only for another millisecond: it is costly. */
function timeField(time: number): string {
  if (time !== lastTime) {
    lastTime = time;
    lastField = `,"time":"${new Date(time).toISOString()}"`;
  }
  return lastField;
}

/** A line that is still to be put together. */
interface LaterLine<Record> {
  severity: Level;
  time: number;
  message: string;
  record: Record;
  write: (record: Record) => string;
}

interface Lines {
  write(line: string): void;
  later<Record>(line: LaterLine<Record>): void;
  flush(): void;
}

/**
 * Writes what was logged within a moment in one piece: a write to a pipe is a system call and wakes whoever reads it, which costs more
 * than all else that is done for a line.
 */
function inOneWrite(output: Output): Lines {
  let lines: (string | LaterLine<unknown>)[] = [];
  const flush = (): void => {
    if (lines.length === 0) return;
    const written = lines.map((line) => (typeof line === "string" ? line : putTogether(line)));
    lines = [];
    output.write(written.join(""));
  };
  const add = (line: string | LaterLine<unknown>): void => {
    if (lines.push(line) === 1) setTimeout(flush, INTERVAL);
  };
  return { write: add, later: (line) => add(line as LaterLine<unknown>), flush };
}

function putTogether({ severity, time, message, record, write }: LaterLine<unknown>): string {
  return `{"level":"${severity}"${timeField(time)},${write(record)},"msg":"${message}"}\n`;
}
