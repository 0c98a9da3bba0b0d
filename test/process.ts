import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import type { ExecutionContext } from "ava";

/** A line of the service's log. */
export interface LogLine {
  level: string;
  msg: string;
  [field: string]: unknown;
}

/** A process that logs. */
export interface LoggingProcess {
  pid: number;
  /** Every line that it has logged. */
  lines: LogLine[];
  /** Resolves with the first line, past or coming, that satisfies the condition; rejects when the process ends without it. */
  logged(condition: (line: LogLine) => boolean): Promise<LogLine>;
  kill(signal: NodeJS.Signals): void;
  /** Stops reading what it writes. */
  closeOutput(): void;
  /** Resolves when it has ended. */
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; err: string }>;
}

export const checkout = [`${import.meta.dirname}/../src/main.ts`];

/**
 * Starts `greeter serve` in a process of its own, on free ports, and with no delay when it is told to stop.
 * @param options `openFiles`: how many file descriptors each of its processes may have
 */
export function serveProcess(
  t: Pick<ExecutionContext, "teardown">,
  flags: string[] = [],
  {
    program = checkout,
    openFiles,
    ...options
  }: { program?: string[]; cwd?: string; env?: NodeJS.ProcessEnv; openFiles?: number } = {},
): LoggingProcess {
  const ports = ["--addr", "--grpc-addr", "--admin-addr"].flatMap((flag) => [flag, "127.0.0.1:0"]);
  const args = [...program, "serve", ...ports, "--drain-delay", "0s", ...flags];
  if (openFiles === undefined) return startProcess(t, args, options);
  const limited = ["-c", `ulimit -n ${openFiles}; exec "$0" "$@"`, process.execPath, ...args];
  return startProcess(t, limited, { ...options, command: "sh" });
}

/** Starts a program of ours in a process of its own. */
export function startProcess(
  t: Pick<ExecutionContext, "teardown">,
  args: string[],
  { cwd, env = {}, command = process.execPath }: { cwd?: string; env?: NodeJS.ProcessEnv; command?: string } = {},
): LoggingProcess {
  const child = spawn(command, args, {
    ...(cwd && { cwd }),
    env: { PATH: process.env["PATH"], ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  t.teardown(() => child.kill("SIGKILL"));

  const lines: LogLine[] = [];
  const output = createInterface(child.stdout);
  output.on("line", (line) => lines.push(JSON.parse(line) as LogLine));
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
        void ended.then(({ code, err }) => reject(new Error(`It ended with ${code} before it logged that: ${err}`)));
      }),
  };
}

/** Resolves with the addresses of a process that serves. */
export async function listening(greeter: LoggingProcess): Promise<{ http: string; grpc: string; admin: string }> {
  const address = async (protocol: string): Promise<string> =>
    String(
      (await greeter.logged(({ msg, ...line }) => msg === "Listening" && line["protocol"] === protocol))["address"],
    );
  return {
    http: `http://${await address("http")}`,
    grpc: await address("grpc"),
    admin: `http://${await address("admin")}`,
  };
}
