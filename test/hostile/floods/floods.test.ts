import { readFileSync } from "node:fs";
import test from "ava";
import { listening, serveProcess } from "../../process.ts";
import { behaveWell } from "../fuzz/well-behaved.ts";
import { grpcFloods } from "./grpc-floods.ts";
import { httpFloods } from "./http-floods.ts";

/** How much memory an attack may cost, in MiB: far less than it sends, and than a container has. */
const MAX_GROWTH = 150;

const rows: string[][] = [];

// One after the other: what one costs is not to be mixed up with another.
for (const { name, protocol, flags = [], disconnected, run } of [...grpcFloods, ...httpFloods]) {
  test.serial(`${protocol}: ${name}`, async (t) => {
    const service = serveProcess(t, ["--handshake-timeout", "2s", "--access-log", "off", ...flags]);
    const { http, grpc } = await listening(service);
    const ports = { http: Number(new URL(http).port), grpc: Number(new URL(`http://${grpc}`).port) };
    const failures: string[] = [];
    const client = behaveWell({ name, ports, ca: undefined }, (what) => failures.push(what));
    while (!["HTTP version", "gRPC bad name"].every((surface) => (client.seen[surface]?.answers ?? 0) > 20)) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const before = memory(service.pid, "VmRSS");

    const saw = await run(ports[protocol]);
    const peak = memory(service.pid, "VmHWM");
    await client.pause();
    client.close();
    rows.push([`${protocol} ${name}`, saw, String(failures.length), `${before.toFixed(0)} → ${peak.toFixed(0)} MiB`]);
    service.kill("SIGTERM");
    const { code, err } = await service.ended;

    t.deepEqual(failures, [], "The well-behaved client saw nothing of it");
    t.is(saw.includes("open"), !disconnected, saw);
    t.true(peak - before < MAX_GROWTH, `${before} MiB before, ${peak} MiB at most`);
    t.is(`${code} ${err}`, "0 ");
    t.deepEqual(
      service.lines.filter(({ level }) => level === "error" || level === "fatal"),
      [],
    );
  });
}

/** Of a process, in MiB (https://docs.kernel.org/filesystems/proc.html): the memory that it has, or the most that it had. */
function memory(pid: number, which: "VmRSS" | "VmHWM"): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`${which}:\\s+(\\d+) kB`).exec(status)![1]) / 1024;
}

test.after.always("the table", () => {
  const header = ["attack", "what the peer saw", "errors of the well-behaved client", "memory before → at most"];
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)));
  const line = (row: string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join("  ")
      .trimEnd();
  process.stdout.write(`\n${[header, ...rows].map(line).join("\n")}\n\n`);
});
