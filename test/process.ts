import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import type { ExecutionContext } from "ava";
import { endWithParent } from "./end-with-parent.ts";

/** A line of the service's log. */
export interface LogLine {
  level: string;
  msg: string;
  [field: string]: unknown;
}

/** A process that logs. */
export interface LoggingProcess {
  pid: number;
  /** Every line that the process has logged. */
  lines: LogLine[];
  /** Resolves with the first line, past or future, that satisfies the condition; rejects if the process ends without one. */
  logged(condition: (line: LogLine) => boolean): Promise<LogLine>;
  kill(signal: NodeJS.Signals): void;
  /** Stops reading the output. */
  closeOutput(): void;
  /** Resolves when the process has ended and its output is read. */
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; err: string }>;
}

/** The product's program. */
export const checkout = [`${import.meta.dirname}/../src/main.ts`];

/** The platform with the service of its own tests. */
export const fixture = [`${import.meta.dirname}/fixtures/main.ts`];

/** Options of Node that make a process take its output for a terminal. */
const asTerminal = ["--import", "data:text/javascript,process.stdout.isTTY = true"];

interface ServeOptions extends Pick<ProcessOptions, "cwd" | "env"> {
  /** Arguments of Node before the command. */
  program?: string[];
  /** Whether the output is a terminal to the process. Its lines are then no JSON, and each is the message of a {@link LogLine}. */
  terminal?: boolean;
}

/** Starts the command `serve` in a process of its own, on free ports and without a drain delay. */
export function serveProcess(
  t: Pick<ExecutionContext, "teardown">,
  flags: string[] = [],
  { program = checkout, terminal = false, ...options }: ServeOptions = {},
): LoggingProcess {
  const ports = ["--addr", "--grpc-addr", "--admin-addr"].flatMap((flag) => [flag, "127.0.0.1:0"]);
  const args = [...program, "serve", ...ports, "--drain-delay", "0s", ...flags];
  if (!terminal) return startProcess(t, args, options);
  return startProcess(t, [...asTerminal, ...args], { ...options, parse: (line) => ({ level: "unknown", msg: line }) });
}

interface ProcessOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  command?: string;
  /** Parses a line of the output. */
  parse?: (line: string) => LogLine;
}

/** Starts a program in a process of its own, which ends with the test, and with this process. */
export function startProcess(
  t: Pick<ExecutionContext, "teardown">,
  args: string[],
  { cwd, env = {}, command = process.execPath, parse = (line) => JSON.parse(line) as LogLine }: ProcessOptions = {},
): LoggingProcess {
  const start = () =>
    spawn(command, args, {
      ...(cwd && { cwd }),
      env: { PATH: process.env["PATH"], ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
  // Another program, such as a container engine, has to end its own children.
  const child = endWithParent(start, command === process.execPath ? "KILL" : "TERM");
  t.teardown(() => child.kill("SIGKILL"));

  const lines: LogLine[] = [];
  const output = createInterface(child.stdout);
  output.on("line", (line) => lines.push(parse(line)));
  const ended = Promise.all([
    new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) =>
      child.on("close", (code, signal) => resolve({ code, signal })),
    ),
    text(child.stderr),
  ]).then(([end, err]) => ({ ...end, err }));

  return {
    pid: child.pid!,
    lines,
    ended,
    kill: (signal) => child.kill(signal),
    closeOutput: () => child.stdout.destroy(),
    logged: (condition) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = lines.find(condition);
          if (found) resolve(found);
        };
        look();
        output.on("line", look);
        void ended.then(({ code, err }) =>
          reject(new Error(`The process ended with ${code} before that line: ${err}`)),
        );
      }),
  };
}

/** Resolves with the addresses of a process that serves. */
export async function listening(service: LoggingProcess): Promise<{ http: string; grpc: string; admin: string }> {
  const address = async (protocol: string): Promise<string> =>
    String(
      (await service.logged(({ msg, ...line }) => msg === "Listening" && line["protocol"] === protocol))["address"],
    );
  return {
    http: `http://${await address("http")}`,
    grpc: await address("grpc"),
    admin: `http://${await address("admin")}`,
  };
}
