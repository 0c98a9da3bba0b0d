import { spawn } from "node:child_process";
import { once } from "node:events";
import { untilAnswered } from "./ready.ts";
import { freePorts, run } from "./running.ts";
import { scenariosOf } from "./subjects.ts";
import type { Protocol, Subject } from "./subjects.ts";

/** Start-up times of a subject, each with that of `node -e 0`, in milliseconds. */
export interface Starts {
  subject: string;
  protocol: Protocol;
  starts: { start: number; node: number }[];
}

/** Measures the time from the start of a process to its first greeting. */
export async function measureStarts(subject: Subject, protocol: Protocol, times: number): Promise<Starts> {
  const starts: Starts["starts"] = [];
  const [greeting] = scenariosOf(subject, protocol);
  for (let turn = 0; turn < times; turn++) {
    const ports = await freePorts();
    const begun = performance.now();
    await once(spawn("taskset", ["--cpu-list", "0", process.execPath, "-e", "0"], { stdio: "ignore" }), "exit");
    const between = performance.now();
    const running = run(subject.command(ports), ports);
    try {
      await untilAnswered(greeting!, ports[protocol]);
      starts.push({ node: between - begun, start: performance.now() - between });
    } finally {
      await running.stop();
    }
  }
  return { subject: subject.name, protocol, starts };
}
