import { execFile, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { endWithParent } from "../test/end-with-parent.ts";
import { frame } from "./frame.ts";
import type { Scenario } from "./subjects.ts";

const folder = mkdtempSync(join(tmpdir(), "greeter-"));
process.once("exit", () => rmSync(folder, { recursive: true }));

/** Concurrency of a load. */
export interface Shape {
  connections: number;
  /** Concurrent streams of an HTTP/2 connection. */
  streams: number;
}

export const defaultShape = { http: { connections: 64, streams: 1 }, grpc: { connections: 10, streams: 10 } };

/**
 * Sends as many requests as the subject can answer.
 * @param cores cores that the load runs on
 * @param headers additional HTTP headers
 * @returns number of responses, and the duration in seconds
 */
export async function saturate(
  { protocol, ...scenario }: Scenario,
  port: number,
  seconds: number,
  shape: Shape = defaultShape[protocol],
  cores = "1",
  headers: readonly string[] = [],
): Promise<{ answered: number; seconds: number }> {
  const url = `http://127.0.0.1:${port}${scenario.path}`;
  const { connections, streams } = shape;
  if (protocol === "http") {
    // wrk takes whole seconds only, but an interrupt ends it with its report.
    const all = [`Accept: ${scenario.accept}`, ...headers].flatMap((header) => ["-H", header]);
    const args = ["-t1", `-c${connections}`, "-d600s", ...all, url];
    const start = () =>
      spawn("taskset", ["--cpu-list", cores, "wrk", ...args], { stdio: ["ignore", "pipe", "inherit"] });
    const wrk = endWithParent(start);
    const output = text(wrk.stdout);
    await sleep(seconds * 1000);
    wrk.kill("SIGINT");
    const [, count, time, unit] = /(\d+) requests in ([\d.]+)(ms|s|m)/.exec(await output) ?? [];
    if (count === undefined || /Non-2xx|Socket errors/.test(await output))
      throw new Error(`Requests failed:\n${await output}`);
    return { answered: Number(count), seconds: Number(time) * { ms: 0.001, s: 1, m: 60 }[unit as "s"] };
  }
  const args = [`-c${connections}`, `-m${streams}`, `-D${Math.round(seconds * 1000)}ms`];
  return { answered: await h2load([...args, ...callOf(scenario), url], cores), seconds };
}

/**
 * Sends requests at a fixed rate.
 * @param rate requests per second
 * @returns duration of each request in microseconds, ascending
 */
export async function askAt({ protocol, ...scenario }: Scenario, port: number, rate: number, seconds: number) {
  const log = join(folder, "log");
  rmSync(log, { force: true });
  const { connections, streams } = defaultShape[protocol];
  // h2load has a timer for each connection, so the connections open one after another. Otherwise all send at the same moments.
  const pace = [
    `--rps=${rate / connections}`,
    "-r1",
    "--rate-period=1ms",
    `-n${Math.max(connections, Math.round(rate * seconds))}`,
  ];
  const form = protocol === "http" ? ["--h1", "-H", `Accept: ${scenario.accept}`] : callOf(scenario);
  const url = `http://127.0.0.1:${port}${scenario.path}`;
  await h2load([`-c${connections}`, `-m${streams}`, ...pace, `--log-file=${log}`, ...form, url]);
  const lines = readFileSync(log, "utf8").trim().split("\n");
  return lines.map((line) => Number(line.split("\t")[2])).toSorted((a, b) => a - b);
}

function callOf({ message }: Pick<Scenario, "message">): string[] {
  const call = join(folder, "call");
  writeFileSync(call, frame(message));
  return ["-d", call, "-H", "content-type: application/grpc", "-H", "te: trailers"];
}

async function h2load(args: string[], cores = "1"): Promise<number> {
  const { stdout } = await promisify(execFile)("taskset", ["--cpu-list", cores, "h2load", ...args]);
  const [, done, succeeded] = /(\d+) done, (\d+) succeeded/.exec(stdout) ?? [];
  if (done === undefined || done !== succeeded || done === "0") throw new Error(`Requests failed:\n${stdout}`);
  return Number(done);
}
