import { setTimeout as sleep } from "node:timers/promises";
import { ask } from "./ask.ts";
import { allAnswered, countCalls } from "./calls.ts";
import type { Calls } from "./calls.ts";
import { askAt, saturate } from "./pressure.ts";
import { untilAnswered } from "./ready.ts";
import { freePorts, run } from "./running.ts";
import type { Running } from "./running.ts";
import { median } from "./statistics.ts";
import { scenariosOf } from "./subjects.ts";
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
  /** The most resident memory of its process under load, and 2 s later (plan.rest), in bytes. */
  memory: { load: number; after: number };
}

export interface Plan {
  rounds: number;
  /** Rounds before those that count. */
  warmUp: number;
  /** How long a load lasts. */
  seconds: number;
  /** How long after the load memory is measured again, in seconds. */
  rest: number;
  progress: (text: string) => void;
}

/** A scenario, and a process of its own that is asked, so that the memory is that of the scenario. */
interface Trial {
  running: Running;
  scenario: Scenario;
  port: number;
  measured: Measured;
  /** How many requests or calls the load says were done. */
  done: number;
  /** What Greeter had counted before, of calls over gRPC. */
  before: Calls | undefined;
}

/**
 * Measures all subjects of a protocol, in turn, so that the drift of the machine's speed meets them alike.
 * @throws {Error} an answer before or after the load is not what it should be, or Greeter tells of calls that failed
 */
export async function measure(protocol: Protocol, subjects: Subject[], plan: Plan): Promise<Measured[]> {
  const trials: Trial[] = [];
  try {
    plan.progress(`${protocol}: starting`);
    for (const subject of subjects.filter(({ protocols }) => protocols.includes(protocol))) {
      for (const scenario of scenariosOf(subject, protocol)) {
        const ports = await freePorts();
        const running = run(subject.command(ports), ports);
        const measured = unmeasured(subject.name, scenario);
        const trial: Trial = { running, scenario, port: ports[protocol], measured, done: 0, before: undefined };
        trials.push(trial);
        await untilAnswered(scenario, trial.port);
        if (subject.name === "Greeter" && protocol === "grpc") trial.before = await countCalls(ports.admin);
      }
    }
    await measureCost(trials, plan, protocol);
    plan.progress(`${protocol}: memory ${plan.rest} s after the load`);
    await sleep(plan.rest * 1000);
    for (const { running, measured } of trials) measured.memory.after = running.memory();
    await measureLatency(trials, plan, protocol);
    await assureAnswers(trials);
    return trials.map(({ measured }) => measured);
  } finally {
    await Promise.all(trials.map(({ running }) => running.stop()));
  }
}

function unmeasured(subject: string, { name, protocol }: Scenario): Measured {
  const memory = { load: 0, after: 0 };
  return { subject, scenario: name, protocol, cpu: [], throughput: [], latency: [], memory };
}

async function measureCost(trials: Trial[], plan: Plan, protocol: Protocol): Promise<void> {
  for (let round = -plan.warmUp; round < plan.rounds; round++) {
    plan.progress(`${protocol}: round ${Math.max(0, round + 1)} of ${plan.rounds}`);
    for (const trial of round % 2 === 0 ? trials : trials.toReversed()) {
      const { running, scenario, port, measured } = trial;
      const before = running.cpu();
      const { answered, seconds } = await saturate(scenario, port, plan.seconds);
      const spent = running.cpu() - before;
      trial.done += answered;
      measured.memory.load = Math.max(measured.memory.load, running.memory());
      if (round < 0) continue;
      measured.cpu.push(spent / answered);
      measured.throughput.push(answered / seconds);
    }
  }
}

async function measureLatency(trials: Trial[], plan: Plan, protocol: Protocol): Promise<void> {
  for (const share of [0.5, 0.8]) {
    plan.progress(`${protocol}: latency at ${share * 100} % of capacity`);
    for (const trial of trials) {
      const { scenario, port, measured } = trial;
      const took = await askAt(scenario, port, share * median(measured.throughput), plan.seconds);
      trial.done += took.length;
      const at = (part: number): number => took[Math.floor(part * (took.length - 1))]!;
      measured.latency.push({ share, p50: at(0.5), p99: at(0.99) });
    }
  }
}

async function assureAnswers(trials: Trial[]): Promise<void> {
  for (const { running, scenario, port, done, before } of trials) {
    if (before) allAnswered(scenario.name, done, before, await countCalls(running.ports.admin));
    await ask(scenario, port);
  }
}
