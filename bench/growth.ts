// Measures how the cost of a greeting grows with the length of the name, the connections and the concurrent calls of a connection.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { findTools } from "./load.ts";
import { ask } from "./ask.ts";
import { allAnswered, countCalls } from "./calls.ts";
import { saturate, defaultShape } from "./pressure.ts";
import { untilAnswered } from "./ready.ts";
import { freePorts, run } from "./running.ts";
import { untilDisconnected } from "./settle.ts";
import { greeter, scenarios } from "./subjects.ts";
import { showUsage } from "./usage.ts";

const ROUNDS = 3;
const SECONDS = 1;

/** The last one fits below --max-connections. */
const CONNECTIONS = [1, 10, 100, 1000, 9000];

const byText = scenarios.find(({ protocol }) => protocol === "http")!;
const byCall = scenarios.find(({ protocol }) => protocol === "grpc")!;

const cases = [
  ...[1, 16, 64, 256].flatMap((length) => {
    const name = Buffer.from("a".repeat(length));
    const size = length < 128 ? [length] : [(length & 127) | 128, length >> 7];
    const field = Buffer.from([0x0a, ...size]);
    const message = Buffer.concat([field, name]).toString("hex");
    const greeting = new RegExp(`^Hello, a{${length}}!\n$`);
    const reply = new RegExp(`${Buffer.from("Hello, ").toString("hex")}(61){${length}}21$`);
    return [
      {
        what: `HTTP, a name of ${length}`,
        scenario: { ...byText, path: `/${"a".repeat(length)}`, answer: greeting },
        shape: defaultShape.http,
      },
      { what: `gRPC, a name of ${length}`, scenario: { ...byCall, message, answer: reply }, shape: defaultShape.grpc },
    ];
  }),
  ...CONNECTIONS.map((connections) => ({
    what: `HTTP, connections: ${connections}`,
    scenario: byText,
    shape: { connections, streams: 1 },
  })),
  ...[1, 10, 100, 1000].map((streams) => ({
    what: `gRPC, concurrent calls on one connection: ${streams}`,
    scenario: byCall,
    shape: { connections: 1, streams },
  })),
];

const help = `Usage: npm run bench:growth

Measures how the CPU time of a greeting grows with the length of the name, the connections and the concurrent calls of a
connection. Takes about two minutes on two cores: one for the service, one for the load.
`;

async function main(): Promise<void> {
  showUsage(help);
  findTools("wrk", "h2load", "taskset");
  if (availableParallelism() < 2) throw new Error("Expected two cores: one for the service, one for the load");
  if (!existsSync(join(import.meta.dirname, "../dist/greeter.cjs")))
    throw new Error("Cannot find dist/greeter.cjs: expected npm run build");
  execFileSync("taskset", ["--all-tasks", "--cpu-list", "--pid", "1", String(process.pid)]);
  const ports = await freePorts();
  // Higher limits, so that the service does not reject the load.
  const flags = ["--grpc-max-concurrent-streams", "1000", "--max-in-flight", "10000"];
  const raised = ["bash", "-c", 'ulimit -n "$(ulimit -Hn)"; exec "$@"', "bash", ...greeter(ports, flags)];
  const running = run(raised, ports);
  const costs = cases.map((): number[] => []);
  try {
    for (const { scenario } of cases) await untilAnswered(scenario, ports[scenario.protocol]);
    for (let round = -1; round < ROUNDS; round++) {
      process.stderr.write(`round ${round + 1} of ${ROUNDS}\n`);
      for (const [index, { what, scenario, shape }] of cases.entries()) {
        const counted = await countCalls(ports.admin);
        const before = running.cpu();
        const { answered } = await saturate(scenario, ports[scenario.protocol], SECONDS, shape);
        if (round >= 0) costs[index]!.push((running.cpu() - before) / answered);
        if (scenario.protocol === "grpc") allAnswered(what, answered, counted, await countCalls(ports.admin));
        await untilDisconnected(ports.admin);
      }
    }
    for (const { scenario } of cases) await ask(scenario, ports[scenario.protocol]);
  } finally {
    await running.stop();
  }
  const rows = cases.map(({ what }, index) => `| ${what} | ${Math.min(...costs[index]!).toFixed(1)} |`);
  process.stdout.write(`| what | µs of CPU, lowest of ${ROUNDS} rounds |\n| --- | --- |\n${rows.join("\n")}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
