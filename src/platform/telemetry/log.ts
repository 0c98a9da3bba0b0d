import { pino, type LevelWithSilent, type Logger } from "pino";

export type Level = "debug" | "info" | "warn" | "error" | "fatal";

/** Log of the service. Its level may change at any time. */
export interface Log extends Pick<Logger, Level | "flush" | "child"> {
  level: string;
  /**
   * Logs a line of the access log. It is formatted later, together with others, which is several times as fast as pino.
   * @param format returns the line's fields as JSON without braces
   */
  writeAccessLog<Record>(level: Level, message: string, record: Record, format: (record: Record) => string): void;
}

/** Destination of the log. */
export interface Output {
  write(text: string): unknown;
  isTTY?: boolean;
}

/** Creates a log of JSON lines. */
export function createLog(level: LevelWithSilent, output: Output): Log {
  const destination = bufferOutput(output);
  const formatters = { level: (label: string) => ({ level: label }) };
  const log = pino({ level, base: null, timestamp: () => timeField(Date.now()), formatters }, destination);
  const writeAccessLog: Log["writeAccessLog"] = (level, message, record, format) => {
    if (!log.isLevelEnabled(level)) return;
    const time = Date.now();
    destination.write(() => `{"level":"${level}"${timeField(time)},${format(record)},"msg":"${message}"}\n`);
  };
  return Object.assign(log, { writeAccessLog });
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
  const pattern = /\\\\|\\u00(?:[01][\da-f]|7f)|\\[bfrt]|[\u007f-\u009f]/gi;
  // An escaped backslash is matched first, because the character after it is none of its escapes.
  return lines.replaceAll(pattern, (match) => (match === "\\\\" ? match : "\uFFFD"));
}

let lastTime = 0;
let lastField = "";

/** Formats the field `time` in ISO 8601. It is memoized for the same millisecond, because formatting is expensive. */
function timeField(time: number): string {
  if (time !== lastTime) {
    lastTime = time;
    lastField = `,"time":"${new Date(time).toISOString()}"`;
  }
  return lastField;
}

/** Maximum time that a line waits for the next ones, in milliseconds. */
const FLUSH_INTERVAL_MS = 10;

/** A line, or the function that formats it. */
type Line = string | (() => string);

/** Buffers lines and writes them together: each write to a pipe is a system call that wakes the reader. */
function bufferOutput(output: Output): { write(line: Line): void; flush(): void } {
  let lines: Line[] = [];
  const flush = (): void => {
    if (lines.length === 0) return;
    const written = lines.map((line) => (typeof line === "string" ? line : line()));
    lines = [];
    output.write(written.join(""));
  };
  const write = (line: Line): void => {
    if (lines.push(line) === 1) setTimeout(flush, FLUSH_INTERVAL_MS);
  };
  return { write, flush };
}
