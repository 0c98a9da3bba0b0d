import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { greetAda } from "./steady-load.ts";

/** Tools of the load, and their Debian packages. */
const tools = { wrk: "wrk", h2load: "nghttp2-client", taskset: "util-linux" };

/**
 * Checks that tools are installed.
 * @throws {Error} a tool is missing
 */
export function findTools(...names: (keyof typeof tools)[]): void {
  const missing = names.filter((name) => !findProgram(name));
  if (missing.length === 0) return;
  const packages = missing.map((name) => tools[name]).join(" ");
  throw new Error(`Missing ${missing.join(", ")} (on Debian: apt-get install ${packages})`);
}

/** Sends requests or calls for some seconds. Resolves with the number of responses, and rejects if a request failed. */
export type Load = (address: string, seconds: number) => Promise<number>;

/**
 * Creates the load of both protocols.
 * @param core core that the load runs on
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
      const output = await run("wrk", "-t1", "-c32", `-d${seconds}s`, "-H", "Accept: text/plain", url);
      if (/Non-2xx|Socket errors/.test(output)) throw new Error(`Requests failed:\n${output}`);
      return Number(/(\d+) requests in/.exec(output)![1]);
    },
    grpc: async (address, seconds) => {
      const headers = ["-H", "content-type: application/grpc", "-H", "te: trailers"];
      const url = `http://${address}/greeter.v1.GreeterService/Greet`;
      const output = await run("h2load", "-c5", "-m10", `-D${seconds}`, "-d", call, ...headers, url);
      const [, done, succeeded] = /(\d+) done, (\d+) succeeded/.exec(output)!;
      if (done !== succeeded) throw new Error(`Calls failed:\n${output}`);
      return Number(done);
    },
  };
}

function findProgram(name: string): boolean {
  return (process.env["PATH"] ?? "").split(":").some((folder) => existsSync(join(folder, name)));
}
