// Measures the cost of telemetry: CPU time of a request and of a call with the defaults and with everything off.
import { execFileSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { ask } from "./ask.ts";
import { createLoads } from "./load.ts";
import { startService } from "./service.ts";
import type { Service } from "./service.ts";
import { median } from "./statistics.ts";
import { scenarios } from "./subjects.ts";

const help = `Usage: npm run bench:telemetry -- [options]

Compares the CPU time of a request and of a call with the default telemetry and without any.
The variants run on one core and get the load in turn, so that changes of the machine's speed affect all alike.

Options:
  --rounds <count>    rounds (default: 20)
  --seconds <count>   duration of the load in a round (default: 1)
  --help              show this help
`;

/** Variants by name. The others are compared with the first. */
const variants = {
  "everything off": { preload: ["silence.ts"] },
  "no access log": { flags: ["--access-log", "off"] },
  "at its defaults": {},
};

/** Rounds before the measurement, in which V8 compiles the code. */
const WARM_UP_ROUNDS = 5;

/** Maximum additional cost, relative to everything off. */
const limits = { http: 0.15, grpc: 0.1 };

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { rounds: { type: "string" }, seconds: { type: "string" }, help: { type: "boolean" } },
  });
  if (values.help) return void process.stdout.write(help);
  const [rounds, seconds] = [count(values.rounds ?? "20", "--rounds"), count(values.seconds ?? "1", "--seconds")];
  if (availableParallelism() < 2) throw new Error("Expected two cores: one for the services, one for the load");

  const loads = createLoads(1);
  // This process also runs on the core of the load, because it reads the log of the services.
  execFileSync("taskset", ["--all-tasks", "--cpu-list", "--pid", "1", String(process.pid)]);
  const services = await Promise.all(Object.entries(variants).map(([name, variant]) => startService(name, 0, variant)));
  try {
    for (const protocol of ["http", "grpc"] as const) {
      const costs: number[][] = [];
      await greetOnce(services, protocol);
      for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
        progress(`${protocol}: round ${Math.max(0, round + 1)} of ${rounds}`);
        const cost: number[] = [];
        // The order alternates, so that no service is always first.
        const order = round % 2 === 0 ? services : services.toReversed();
        for (const service of order) {
          const load = (): Promise<number> => loads[protocol](service[protocol], seconds);
          cost[services.indexOf(service)] = await costOf(service, load);
        }
        if (round >= 0) costs.push(cost);
      }
      progress("");
      await greetOnce(services, protocol);
      report(protocol, services, costs);
    }
  } finally {
    for (const service of services) service.stop();
  }
}

/**
 * Requests a greeting from every service.
 * @throws {Error} a response is wrong
 */
async function greetOnce(services: Service[], protocol: "http" | "grpc"): Promise<void> {
  const greeting = scenarios.find((scenario) => scenario.protocol === protocol)!;
  for (const service of services) await ask(greeting, Number(service[protocol].split(":").at(-1)));
}

/** Returns the CPU time of a request, in microseconds. */
async function costOf({ cpu }: Service, load: () => Promise<number>): Promise<number> {
  const before = cpu();
  const answered = await load();
  return (cpu() - before) / answered;
}

function report(protocol: "http" | "grpc", services: Service[], costs: number[][]): void {
  const limit = `at most ${limits[protocol] * 100} % more`;
  const lines = [`${protocol}, CPU µs per ${protocol === "http" ? "request" : "call"} (goal: ${limit})`];
  for (const [index, { name }] of services.entries()) {
    const own = costs.map((cost) => cost[index]!);
    const ratios = costs.map((cost) => cost[index]! / cost[0]!).toSorted((a, b) => a - b);
    const quartile = (share: number): string => ratios[Math.floor(share * (ratios.length - 1))]!.toFixed(2);
    lines.push(
      `  ${name.padEnd(16)} lowest ${Math.min(...own).toFixed(1)}  median ${median(own).toFixed(1)}` +
        `  ratio ${median(ratios).toFixed(3)} (quartiles ${quartile(0.25)} to ${quartile(0.75)})`,
    );
  }
  process.stdout.write(`${lines.join("\n")}\n`);
}

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
  else if (text !== "") process.stderr.write(`${text}\n`);
}

function count(text: string, option: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`Invalid ${option} "${text}": expected a whole number of at least 1`);
  return value;
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
