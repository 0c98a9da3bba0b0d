import { readdirSync, readFileSync } from "node:fs";

/** The CPU time that all threads of a process have spent so far, in microseconds. */
export function cpuTime(pid: number): number {
  const threads = `/proc/${pid}/task`;
  // The first number of schedstat (https://docs.kernel.org/scheduler/sched-stats.html): nanoseconds on a core, so that one need not
  // wait for many ticks of the clock.
  const spent = (thread: string): number =>
    Number(readFileSync(`${threads}/${thread}/schedstat`, "utf8").split(" ")[0]);
  return readdirSync(threads).reduce((sum, thread) => sum + spent(thread), 0) / 1000;
}
