// Measures load shedding: throughput and latency of a service under more load than its capacity.
import { execFileSync } from "node:child_process";
import { parseArgs } from "node:util";
import { findTools } from "./load.ts";
import { startService } from "./service.ts";
import { WAIT } from "./slow-greeter.ts";
import { askSteadily, grpcAsk, httpAsk } from "./steady-load.ts";
import type { Answered } from "./steady-load.ts";

const help = `Usage: npm run bench:overload -- [options]

Sends requests at a fixed rate without waiting for responses (open loop): at 0.5, 1, 2 and 5 times the capacity. A greeting waits
${WAIT} ms, as for a database, and the number of greetings in flight is limited.

Options:
  --seconds <count>   duration of each rate (default: 5)
  --help              show this help
`;

/** Maximum number of greetings in flight. */
const LIMIT = 25;

/** Greetings per second. */
const CAPACITY = (LIMIT * 1000) / WAIT;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { seconds: { type: "string" }, help: { type: "boolean" } } });
  if (values.help) return void process.stdout.write(help);
  const seconds = Number(values.seconds ?? "5");
  if (!Number.isInteger(seconds) || seconds < 1)
    throw new Error(`Invalid --seconds "${values.seconds}": expected a whole number of at least 1`);
  findTools("taskset");
  // This process sends the load, and the service runs on the other core.
  execFileSync("taskset", ["--all-tasks", "--cpu-list", "--pid", "1", String(process.pid)]);

  process.stdout.write(`At most ${LIMIT} in flight, ${WAIT} ms each: a capacity of ${CAPACITY}/s\n`);
  for (const protocol of ["http", "grpc"] as const) {
    const flags = ["--max-in-flight", String(LIMIT), "--grpc-max-concurrent-streams", "1000"];
    const service = await startService(protocol, 0, { flags, preload: ["slow.ts"] });
    const { ask, close } = protocol === "http" ? httpAsk(service.http) : grpcAsk(service.grpc);
    try {
      await askSteadily(ask, CAPACITY / 2, 2);
      process.stdout.write(`${protocol}\n`);
      let peak = 0;
      for (const factor of [0.5, 1, 2, 5]) {
        process.stderr.write(`  ${protocol} at ${factor} × capacity for ${seconds} s\n`);
        const answered = await askSteadily(ask, factor * CAPACITY, seconds);
        peak = Math.max(peak, answered.greeted.length);
        process.stdout.write(`  ${factor} × capacity: ${describe(answered, peak, seconds)}\n`);
      }
    } finally {
      close();
      service.stop();
    }
  }
}

function describe({ greeted, rejected }: Answered, peak: number, seconds: number): string {
  const rate = (times: number[]): string => `${(times.length / seconds).toFixed(0)}/s`;
  const share = ((100 * greeted.length) / peak).toFixed(0);
  const rejections = rejected.length === 0 ? "none" : `${rate(rejected)} (p99 ${quantile(rejected, 0.99)} ms)`;
  return (
    `greeted ${rate(greeted)}, ${share} % of the maximum, ` +
    `p50 ${quantile(greeted, 0.5)} ms, p99 ${quantile(greeted, 0.99)} ms; rejected ${rejections}`
  );
}

function quantile(sorted: number[], share: number): string {
  return (sorted[Math.floor(share * (sorted.length - 1))] ?? NaN).toFixed(1);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
