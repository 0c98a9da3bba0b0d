// `npm run test:soak [minutes]`: repeats rolling restarts under load, beside one instance that keeps running. Prints the progress and the
// memory of that instance. Fails if a request is lost or if the memory grows.
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { listening, serveProcess } from "../process.ts";
import type { LoggingProcess } from "../process.ts";
import { startLoad } from "./load.ts";
import { clusterService } from "./service.ts";

const minutes = Number(process.argv[2] ?? 3);
if (!(minutes > 0)) {
  process.stderr.write(`test:soak: invalid number of minutes "${process.argv[2]}": expected a number above 0\n`);
  process.exit(2);
}
if (process.platform !== "linux") {
  process.stderr.write("test:soak needs Linux: it reads /proc\n");
  process.exit(1);
}

/** Reads the resident memory of a process in MiB, and the number of its open file descriptors. */
function usage(pid: number): { rss: number; handles: number } {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))!;
  return { rss: Number(kib) / 1024, handles: readdirSync(`/proc/${pid}/fd`).length };
}

const processes: LoggingProcess[] = [];
const service = await clusterService();
const start = async (): Promise<LoggingProcess> => {
  // A short connection age makes a leak per connection visible sooner.
  const greeter = serveProcess({ teardown: () => {} }, ["--drain-delay", "500ms", "--grpc-max-connection-age", "5s"]);
  processes.push(greeter);
  await service.add(await listening(greeter));
  return greeter;
};

const permanent = await start();
const idle = usage(permanent.pid);
let rolling = await start();
const load = startLoad(service);
const samples: number[] = [];
const end = performance.now() + minutes * 60_000;
const failures: string[] = [];

process.stdout.write("  min   requests  failures  restarts   RSS MiB  handles\n");
for (let restarts = 1; performance.now() < end; restarts += 1) {
  await sleep(5000);
  const next = await start();
  rolling.kill("SIGTERM");
  const { code } = await rolling.ended;
  if (code !== 0) failures.push(`An instance ended with exit code ${code}`);
  rolling = next;

  const { rss, handles } = usage(permanent.pid);
  samples.push(rss);
  const requests = Object.values(load.answered).reduce((sum, count) => sum + count, 0);
  const cells = [
    ((performance.now() - end) / 60_000 + minutes).toFixed(1).padStart(5),
    String(requests).padStart(9),
    String(load.failures.length).padStart(8),
    String(restarts).padStart(8),
    rss.toFixed(1).padStart(8),
    String(handles).padStart(7),
  ];
  process.stdout.write(`${cells.join("  ")}\n`);
}

await load.stop();
await sleep(1000);
const { handles } = usage(permanent.pid);
const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
const third = Math.ceil(samples.length / 3);
const growth = median(samples.slice(-third)) / median(samples.slice(third, 2 * third));
process.stdout.write(
  `RSS of the last third to the middle third: ${growth.toFixed(2)}; idle handles: ${idle.handles} before, ${handles} after\n`,
);
failures.push(...load.failures);
if (samples.length < 6) failures.push("Cannot measure the growth of memory: expected more minutes");
if (growth > 1.1) failures.push("Memory grew by more than a tenth");
if (handles > idle.handles) failures.push("File descriptors leaked");
service.close();
for (const greeter of processes) greeter.kill("SIGTERM");
await Promise.all(processes.map((greeter) => greeter.ended));

process.stdout.write(failures.map((failure) => `FAILED: ${failure}\n`).join("") || "No request was lost\n");
process.exitCode = failures.length > 0 ? 1 : 0;
