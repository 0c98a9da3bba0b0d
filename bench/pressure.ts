import { execFile, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { frame } from "./frame.ts";
import type { Scenario } from "./subjects.ts";

const folder = mkdtempSync(join(tmpdir(), "greeter-"));
process.once("exit", () => rmSync(folder, { recursive: true }));

export interface Shape {
  connections: number;
  /** At a time on each connection, of HTTP/2. */
  streams: number;
}

export const usualShape = { http: { connections: 64, streams: 1 }, grpc: { connections: 10, streams: 10 } };

/**
 * As much as the subject can answer.
 * @param cores where the load runs
 * @param headers more of HTTP
 * @returns how many it answered, and in how many seconds
 */
export async function saturate(
  { protocol, ...scenario }: Scenario,
  port: number,
  seconds: number,
  shape: Shape = usualShape[protocol],
  cores = "1",
  headers: readonly string[] = [],
): Promise<{ answered: number; seconds: number }> {
  const url = `http://127.0.0.1:${port}${scenario.path}`;
  const { connections, streams } = shape;
  if (protocol === "http") {
    // wrk counts in whole seconds, but ends well when it is interrupted.
    const all = [`Accept: ${scenario.accept}`, ...headers].flatMap((header) => ["-H", header]);
    const args = ["-t1", `-c${connections}`, "-d600s", ...all, url];
    const wrk = spawn("taskset", ["--cpu-list", cores, "wrk", ...args], { stdio: ["ignore", "pipe", "inherit"] });
    const told = text(wrk.stdout);
    await sleep(seconds * 1000);
    wrk.kill("SIGINT");
    const [, count, time, unit] = /(\d+) requests in ([\d.]+)(ms|s|m)/.exec(await told) ?? [];
    if (count === undefined || /Non-2xx|Socket errors/.test(await told)) throw new Error(`Failed:\n${await told}`);
    return { answered: Number(count), seconds: Number(time) * { ms: 0.001, s: 1, m: 60 }[unit as "s"] };
  }
  const args = [`-c${connections}`, `-m${streams}`, `-D${Math.round(seconds * 1000)}ms`];
  const told = await h2load([...args, ...callOf(scenario), url], cores);
  return { answered: told, seconds };
}

/**
 * Asks at a fixed rate.
 * @param rate in requests a second
 * @returns how long each took, in microseconds, ascending
 */
export async function askAt({ protocol, ...scenario }: Scenario, port: number, rate: number, seconds: number) {
  const log = join(folder, "log");
  rmSync(log, { force: true });
  const { connections, streams } = usualShape[protocol];
  // h2load has a clock for each connection: they are opened one after another, or all of them would ask at the same moments.
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
  if (done === undefined || done !== succeeded || done === "0") throw new Error(`Failed:\n${stdout}`);
  return Number(done);
}
