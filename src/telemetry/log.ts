import { pino } from "pino";
import type { LevelWithSilent, Logger } from "pino";
import { prettyOutput } from "./pretty.ts";

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
 * A log of JSON lines; on a terminal, of lines for people.
 * @param level the least severe messages to log
 * @param worker which of several workers' it is: each line then says so
 */
export function createLog(level: LevelWithSilent, output: Output, worker?: number): Log {
  const options = {
    level,
    base: worker === undefined ? null : { worker },
    timestamp: () => timeField(Date.now()),
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const base = worker === undefined ? "" : `,"worker":${worker}`;
  const destination = inOneWrite(output.isTTY ? prettyOutput(output) : output, base);
  const log = pino(options, destination);
  const later: Log["later"] = (severity, message, record, write) => {
    if (log.isLevelEnabled(severity)) destination.later({ severity, time: Date.now(), message, record, write });
  };
  return Object.assign(log, { later });
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
function inOneWrite(output: Output, base: string): Lines {
  let lines: (string | LaterLine<unknown>)[] = [];
  const flush = (): void => {
    if (lines.length === 0) return;
    const written = lines.map((line) => (typeof line === "string" ? line : putTogether(line, base)));
    lines = [];
    output.write(written.join(""));
  };
  const add = (line: string | LaterLine<unknown>): void => {
    if (lines.push(line) === 1) setTimeout(flush, INTERVAL);
  };
  return { write: add, later: (line) => add(line as LaterLine<unknown>), flush };
}

function putTogether({ severity, time, message, record, write }: LaterLine<unknown>, base: string): string {
  return `{"level":"${severity}"${timeField(time)}${base},${write(record)},"msg":"${message}"}\n`;
}
