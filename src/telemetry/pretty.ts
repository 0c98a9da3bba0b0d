import { stripVTControlCharacters, styleText } from "node:util";
import type { Output } from "./log.ts";

type Style = Parameters<typeof styleText>[0];

const styles: Record<string, Style> = {
  trace: "dim",
  debug: "dim",
  info: "green",
  warn: "yellow",
  error: "red",
  fatal: ["bold", "red"],
};

interface Line extends Record<string, unknown> {
  level: string;
  time: string;
  msg: string;
  err?: unknown;
}

/** Takes JSON lines, and writes them for somebody at a terminal: in colours, unless NO_COLOR says otherwise. */
export function prettyOutput(output: Output): Output {
  const show = (lines: string): string =>
    lines
      .trimEnd()
      .split("\n")
      .map((line) => pretty(JSON.parse(line) as Line))
      .join("");
  return { write: (lines) => output.write(show(lines)) };
}

function pretty({ level, time, msg, err, ...others }: Line): string {
  const { headline, fields } =
    others["duration_ms"] === undefined
      ? { headline: printable(msg).replaceAll("\n", String.raw`\n`), fields: others }
      : exchange(others);
  const clock = new Date(time).toTimeString().slice(0, 8);
  const rest = Object.entries(fields).map(([name, value]) => `${name}=${show(value)}`);
  const head = `${style("dim", clock)} ${style(styles[level] ?? "dim", level.toUpperCase().padEnd(5))} ${headline}`;
  const stack = err === undefined ? "" : `${printable(stackOf(err))}\n`;
  return `${[head, style("dim", rest.join(" "))].join(" ").trimEnd()}\n${stack}`;
}

/** Where an error came from; of what is none, what it is. */
function stackOf(error: unknown): string {
  const { stack } = Object(error) as { stack?: unknown };
  return typeof stack === "string" ? stack : JSON.stringify(error);
}

/** The headline of a request or call, and what it leaves to be said. */
function exchange({ method, path, status, duration_ms, ...fields }: Record<string, unknown>): {
  headline: string;
  fields: Record<string, unknown>;
} {
  const what = [method, path, status].filter((part) => part !== undefined).map(show);
  return { headline: `${what.join(" ")} in ${show(duration_ms)} ms`, fields };
}

/** As it is where that is one word, otherwise quoted. Nothing that a caller sends may reach the terminal as more than text. */
function show(value: unknown): string {
  const text = typeof value === "string" && /^[\w.:/[\]{}%-]+$/.test(value) ? value : JSON.stringify(value);
  return printable(text).replaceAll("\n", String.raw`\n`);
}

function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  return stripVTControlCharacters(text).replaceAll(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, "\uFFFD");
}

function style(format: Style, text: string): string {
  return styleText(format, text, { stream: process.stdout });
}
