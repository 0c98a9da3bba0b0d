import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { greetAda } from "./steady-load.ts";

/** What generates load, and Debian's package of it. */
const tools = { wrk: "wrk", h2load: "nghttp2-client", taskset: "util-linux" };

/** @throws {Error} one of them is missing */
export function findTools(...names: (keyof typeof tools)[]): void {
  const missing = names.filter((name) => !findProgram(name));
  if (missing.length === 0) return;
  const packages = missing.map((name) => tools[name]).join(" ");
  throw new Error(`Missing ${missing.join(", ")}: on Debian, apt-get install ${packages}`);
}

/** Makes requests or calls for some seconds, and tells how many were answered; it fails when one was not. */
export type Load = (address: string, seconds: number) => Promise<number>;

/**
 * The load of both protocols, from one core.
 * @throws {Error} a tool is missing
 */
export function createLoads(core: number): { http: Load; grpc: Load } {
  findTools("wrk", "h2load", "taskset");
  const run = async (command: string, ...args: string[]): Promise<string> =>
    (await promisify(execFile)("taskset", ["--cpu-list", String(core), command, ...args])).stdout;

  const call = join(mkdtempSync(join(tmpdir(), "greeter-")), "greet");
  writeFileSync(call, greetAda);

  return {
    http: async (address, seconds) => {
      const url = `http://${address}/Ada`;
      const told = await run("wrk", "-t1", "-c32", `-d${seconds}s`, "-H", "Accept: text/plain", url);
      if (/Non-2xx|Socket errors/.test(told)) throw new Error(`Requests failed:\n${told}`);
      return Number(/(\d+) requests in/.exec(told)![1]);
    },
    grpc: async (address, seconds) => {
      const headers = ["-H", "content-type: application/grpc", "-H", "te: trailers"];
      const url = `http://${address}/greeter.v1.GreeterService/Greet`;
      const told = await run("h2load", "-c5", "-m10", `-D${seconds}`, "-d", call, ...headers, url);
      const [, done, succeeded] = /(\d+) done, (\d+) succeeded/.exec(told)!;
      if (done !== succeeded) throw new Error(`Calls failed:\n${told}`);
      return Number(done);
    },
  };
}

function findProgram(name: string): boolean {
  return (process.env["PATH"] ?? "").split(":").some((folder) => existsSync(join(folder, name)));
}
