import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { askAt, saturate } from "./pressure.ts";
import { untilGreeted } from "./ready.ts";
import { freePorts, run } from "./running.ts";
import type { Running } from "./running.ts";
import { median } from "./statistics.ts";
import { scenarios } from "./subjects.ts";
import type { Protocol, Scenario, Subject } from "./subjects.ts";

/** A subject under one scenario. Each round has one entry: CPU in µs a request, throughput in requests a second. */
export interface Measured {
  subject: string;
  scenario: string;
  protocol: Protocol;
  cpu: number[];
  throughput: number[];
  /** At 50 % and 80 % of its capacity, in µs. */
  latency: { share: number; p50: number; p99: number }[];
  /** The most resident memory under load, and 2 s later, in bytes. */
  memory: { load: number; after: number };
}

export interface Plan {
  rounds: number;
  warmUp: number;
  seconds: number;
  progress: (text: string) => void;
}

/** Measures all subjects of a protocol, in turn, so that the drift of the machine's speed meets them alike. */
export async function measure(protocol: Protocol, subjects: Subject[], plan: Plan): Promise<Measured[]> {
  const all: { running: Running; scenario: Scenario; measured: Measured }[] = [];
  const stops: Running[] = [];
  try {
    for (const subject of subjects.filter(({ protocols }) => protocols.includes(protocol))) {
      const ports = await freePorts();
      const running = run(subject.command(ports), ports);
      stops.push(running);
      const asked = scenarios.filter((scenario) => scenario.protocol === protocol);
      for (const scenario of subject.name === "Greeter" ? asked : asked.slice(0, 1)) {
        const [cpu, throughput]: number[][] = [[], []];
        const memory = { load: 0, after: 0 };
        const measured = { subject: subject.name, scenario: scenario.name, protocol, cpu, throughput, memory };
        const path = subject.greet ?? scenario.path;
        all.push({ running, scenario: { ...scenario, path }, measured: { ...measured, latency: [] } as Measured });
      }
      await untilGreeted(protocol, ports[protocol], subject.greet ?? asked[0]!.path);
    }
    for (let round = -plan.warmUp; round < plan.rounds; round++) {
      plan.progress(`${protocol}: round ${Math.max(0, round + 1)} of ${plan.rounds}`);
      for (const { running, scenario, measured } of round % 2 === 0 ? all : all.toReversed()) {
        const before = running.cpu();
        const { answered, seconds } = await saturate(scenario, running.ports[protocol], plan.seconds);
        const spent = running.cpu() - before;
        measured.memory.load = Math.max(measured.memory.load, running.memory());
        if (round < 0) continue;
        measured.cpu.push(spent / answered);
        measured.throughput.push(answered / seconds);
      }
    }
    plan.progress(`${protocol}: memory 2 s after the load`);
    await sleep(2000);
    for (const { running, measured } of all) measured.memory.after = running.memory();
    for (const share of [0.5, 0.8]) {
      plan.progress(`${protocol}: latency at ${share * 100} % of capacity`);
      for (const { running, scenario, measured } of all) {
        const rate = share * median(measured.throughput);
        const took = await askAt(scenario, running.ports[protocol], rate, plan.seconds);
        const at = (part: number): number => took[Math.floor(part * (took.length - 1))]!;
        measured.latency.push({ share, p50: at(0.5), p99: at(0.99) });
      }
    }
    return all.map(({ measured }) => measured);
  } finally {
    await Promise.all(stops.map((running) => running.stop()));
  }
}

/** From nothing to the first greeting, in ms, each beside a start of `node -e 0`. */
export async function measureStarts(subject: Subject, protocol: Protocol, times: number) {
  const starts: { start: number; node: number }[] = [];
  const path = subject.greet ?? scenarios.find((scenario) => scenario.protocol === protocol)!.path;
  for (let turn = 0; turn < times; turn++) {
    const ports = await freePorts();
    const begun = performance.now();
    await once(spawn("taskset", ["--cpu-list", "0", process.execPath, "-e", "0"], { stdio: "ignore" }), "exit");
    const between = performance.now();
    const running = run(subject.command(ports), ports);
    try {
      await untilGreeted(protocol, ports[protocol], path);
      starts.push({ node: between - begun, start: performance.now() - between });
    } finally {
      await running.stop();
    }
  }
  return { subject: subject.name, protocol, starts };
}
