// What load shedding is worth: how many greetings a service still gives, and how fast, when more is asked of it than it takes on.
import { execFileSync } from "node:child_process";
import { parseArgs } from "node:util";
import { findTools } from "./load.ts";
import { startService } from "./service.ts";
import { WAIT } from "./slow-greeter.ts";
import { askSteadily, grpcAsk, httpAsk } from "./steady-load.ts";
import type { Answered } from "./steady-load.ts";

const help = `Usage: npm run bench:overload -- [options]

Asks for greetings at a steady rate, whether or not those before are answered: at half of what the service takes on, at all of it,
at twice and at five times as much. A greeting waits ${WAIT} ms, as for a database; the limit is on how many are in flight.

Options:
  --seconds <count>   how long at each rate (default: 5)
  --help              show this
`;

/** How many greetings may be in flight. With how long one takes, that makes the capacity. */
const LIMIT = 25;

/** In greetings a second. */
const CAPACITY = (LIMIT * 1000) / WAIT;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { seconds: { type: "string" }, help: { type: "boolean" } } });
  if (values.help) return void process.stdout.write(help);
  const seconds = Number(values.seconds ?? "5");
  if (!Number.isInteger(seconds) || seconds < 1)
    throw new Error("Invalid --seconds: expected a whole number from 1 on");
  findTools("taskset");
  // The load is made here, and the service runs on the other core.
  execFileSync("taskset", ["--all-tasks", "--cpu-list", "--pid", "1", String(process.pid)]);

  process.stdout.write(`At most ${LIMIT} in flight, ${WAIT} ms each: a capacity of ${CAPACITY} a second\n`);
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

function describe({ greeted, refused }: Answered, peak: number, seconds: number): string {
  const each = (times: number[]): string => (times.length / seconds).toFixed(0);
  const share = ((100 * greeted.length) / peak).toFixed(0);
  const refusals = refused.length === 0 ? "none" : `${each(refused)} (p99 ${quantile(refused, 0.99)} ms)`;
  return (
    `${each(greeted)} greeted a second, ${share} % of the most so far, ` +
    `p50 ${quantile(greeted, 0.5)} ms, p99 ${quantile(greeted, 0.99)} ms; refused ${refusals}`
  );
}

function quantile(sorted: number[], share: number): string {
  return (sorted[Math.floor(share * (sorted.length - 1))] ?? NaN).toFixed(1);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
