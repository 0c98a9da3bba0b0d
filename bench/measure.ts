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

/** Results of a subject in one scenario. */
export interface Measured {
  subject: string;
  scenario: string;
  protocol: Protocol;
  /** CPU time of a request by round, in µs. */
  cpu: number[];
  /** Requests per second by round. */
  throughput: number[];
  /** At 50 % and 80 % of the throughput, in µs. */
  latency: { share: number; p50: number; p99: number }[];
  /** Maximum resident memory under load, and memory {@link Plan.rest} later, in bytes. */
  memory: { load: number; after: number };
}

export interface Plan {
  rounds: number;
  /** Number of earlier rounds that do not count. */
  warmUp: number;
  /** Duration of the load in a round. */
  seconds: number;
  /** Time between the load and the second measurement of memory, in seconds. */
  rest: number;
  progress: (text: string) => void;
}

/** A scenario with its own process, so that the memory is that of the scenario. */
interface Trial {
  running: Running;
  scenario: Scenario;
  port: number;
  measured: Measured;
  /** Number of completed requests or calls, by the load. */
  done: number;
  /** Greeter's number of gRPC calls before the load. */
  before: Calls | undefined;
}

/**
 * Measures all subjects of a protocol in turn, so that changes of the machine's speed affect all alike.
 * @throws {Error} a response before or after the load is wrong, or Greeter counted failed calls
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
      const durations = await askAt(scenario, port, share * median(measured.throughput), plan.seconds);
      trial.done += durations.length;
      const at = (part: number): number => durations[Math.floor(part * (durations.length - 1))]!;
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
