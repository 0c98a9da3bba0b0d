// What several processes are worth: how throughput grows with workers, and how ways to share a port compare.
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { Agent, get } from "node:http";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { freePort } from "../test/free-port.ts";
import { cpuTime } from "./cpu-time.ts";
import { findTools } from "./load.ts";
import { saturate } from "./pressure.ts";
import { untilAnswered } from "./ready.ts";
import { freePorts } from "./running.ts";
import { median, quantile } from "./statistics.ts";
import { greeter, scenarios } from "./subjects.ts";
import { showUsage } from "./usage.ts";

const ROUNDS = 8;
const SECONDS = 2;
const BOTH = "0,1";

const progress = (line: string): void => void process.stderr.write(`${line}\n`);
const file = (name: string): string => join(import.meta.dirname, name);
const byText = scenarios.find(({ protocol }) => protocol === "http")!;
const byCall = scenarios.find(({ protocol }) => protocol === "grpc")!;

/** A process and its children, on some cores. */
interface Group {
  /** CPU time of each process so far, in microseconds: the first one's, then its children's. */
  cpu: () => number[];
  stop: () => Promise<unknown>;
}

function start(cores: string, command: string[]): Group {
  const child = spawn("taskset", ["--cpu-list", cores, ...command], { stdio: ["ignore", "ignore", "inherit"] });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  return {
    cpu: () => [child.pid!, ...childrenOf(child.pid!)].map(cpuTime),
    stop: () => {
      // Ways to share a port differ in whether workers outlive their parent.
      for (const pid of [...childrenOf(child.pid!), child.pid!]) process.kill(pid, "SIGKILL");
      return exited;
    },
  };
}

function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number),
  );
}

/** One process on a core beside the load on the other, and two workers on both cores, the load among them. */
async function measureGrowth(): Promise<void> {
  const [one, two] = [await freePorts(), await freePorts()];
  const groups = [start("0", greeter(one)), start(BOTH, greeter(two, ["--workers", "2"]))];
  try {
    for (const [protocol, scenario] of Object.entries({ HTTP: byText, gRPC: byCall })) {
      const costs: number[][] = [[], []];
      const shares: number[] = [];
      for (const ports of [one, two]) await untilAnswered(scenario, ports[scenario.protocol]);
      for (let round = -1; round < ROUNDS; round++) {
        progress(`${protocol}: round ${round + 1} of ${ROUNDS}`);
        for (const [index, ports] of [one, two].entries()) {
          const group = groups[index]!;
          const before = group.cpu();
          const { answered } = await saturate(
            scenario,
            ports[scenario.protocol],
            SECONDS,
            undefined,
            index ? BOTH : "1",
          );
          const spent = group.cpu().map((cpu, at) => cpu - before[at]!);
          if (round < 0) continue;
          costs[index]!.push(spent.reduce((sum, cpu) => sum + cpu, 0) / answered);
          if (index === 1) shares.push(Math.min(spent[1]!, spent[2]!) / Math.max(spent[1]!, spent[2]!));
        }
      }
      const growth = costs[0]!.map((cost, round) => cost / costs[1]![round]!);
      process.stdout.write(
        `| ${protocol} | ${median(growth).toFixed(2)} (${quantile(growth, 0.25).toFixed(2)} to ${quantile(growth, 0.75).toFixed(2)}) | ${median(shares).toFixed(2)} |\n`,
      );
    }
  } finally {
    for (const group of groups) await group.stop();
  }
}

/** Connections of one client that stay open, and how many of them the busier of two workers had to serve. */
async function unevenness(port: number, group: Group): Promise<number> {
  const agents = Array.from({ length: 8 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
  const ask = (agent: Agent): Promise<unknown> =>
    new Promise((resolve, reject) => {
      get({ agent, port, host: "127.0.0.1", path: "/Ada" }, (response) => response.resume().on("end", resolve)).on(
        "error",
        reject,
      );
    });
  const before = group.cpu();
  for (const agent of agents) await ask(agent);
  for (let count = 0; count < 300; count++) await Promise.all(agents.map(ask));
  const spent = group.cpu().map((cpu, at) => cpu - before[at]!);
  for (const agent of agents) agent.destroy();
  const busier = Math.max(spent[1]!, spent[2]!);
  return busier / (spent[1]! + spent[2]!);
}

async function measureSharing(): Promise<void> {
  const ways: [string, string[]][] = [
    ["node:cluster", [file("peers/shared.js"), "cluster"]],
    ["SO_REUSEPORT", [file("peers/shared.js"), "reuse-port"]],
    ["handed out, as here", [file("peers/handed-out.ts"), "-"]],
  ];
  const running: { way: string; port: number; group: Group; kept: number[]; anew: number[]; uneven: number[] }[] = [];
  try {
    for (const [way, command] of ways) {
      const port = await freePort();
      const group = start("0", [process.execPath, ...command, String(port)]);
      running.push({ way, port, group, kept: [], anew: [], uneven: [] });
      await untilAnswered(byText, port);
    }
    for (let round = -1; round < ROUNDS; round++) {
      progress(`sharing: round ${round + 1} of ${ROUNDS}`);
      for (const { port, group, ...measured } of running) {
        for (const [costs, headers] of [
          [measured.kept, []],
          [measured.anew, ["Connection: close"]],
        ] as const) {
          const before = group.cpu().reduce((sum, cpu) => sum + cpu, 0);
          const { answered } = await saturate(byText, port, SECONDS / 2, undefined, "1", headers);
          if (round >= 0) costs.push((group.cpu().reduce((sum, cpu) => sum + cpu, 0) - before) / answered);
        }
        if (round >= 0) measured.uneven.push(await unevenness(port, group));
      }
    }
    for (const { way, kept, anew, uneven } of running) {
      const first = running[0]!;
      const ratio = (own: number[], others: number[]): string =>
        median(own.map((cost, round) => cost / others[round]!)).toFixed(2);
      process.stdout.write(
        `| ${way} | ${ratio(kept, first.kept)} | ${ratio(anew, first.anew)} | ${(100 * median(uneven)).toFixed(0)} %, at most ${(100 * Math.max(...uneven)).toFixed(0)} % |\n`,
      );
    }
  } finally {
    for (const { group } of running) await group.stop();
  }
}

const help = `Usage: npm run bench:workers

Measures how throughput grows with --workers, and what ways to share a port cost and lose.
Takes about two minutes, on two cores: one for the service, one for the load.
`;

async function main(): Promise<void> {
  showUsage(help);
  findTools("wrk", "h2load", "taskset");
  if (availableParallelism() < 2) throw new Error("Expected two cores");
  if (!existsSync(file("../dist/greeter.cjs"))) throw new Error("Nothing built: npm run build");
  process.stdout.write(
    "| protocol | throughput of a core with 2 workers, against 1 process | less busy worker, against the busier |\n| --- | --- | --- |\n",
  );
  await measureGrowth();
  process.stdout.write(
    "\n| way to share a port | CPU on kept connections | CPU with a connection each | of 8 connections the busier worker's share |\n| --- | --- | --- | --- |\n",
  );
  await measureSharing();
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
