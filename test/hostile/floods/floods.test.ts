import { readFileSync } from "node:fs";
import test from "ava";
import { listening, serveProcess } from "../../process.ts";
import { behaveWell } from "../fuzz/well-behaved.ts";
import { grpcFloods } from "./grpc-floods.ts";
import { httpFloods } from "./http-floods.ts";

/** Maximum memory that an attack may cost, in MiB: far less than it sends, and less than a container has. */
const MAX_GROWTH_MIB = 150;

const rows: string[][] = [];

// One at a time, because each measures memory.
for (const { name, protocol, flags = [], disconnected, run } of [...grpcFloods, ...httpFloods]) {
  test.serial(`${protocol}: ${name}`, async (t) => {
    const service = serveProcess(t, ["--handshake-timeout", "2s", "--access-log", "off", ...flags]);
    const { http, grpc } = await listening(service);
    const ports = { http: Number(new URL(http).port), grpc: Number(new URL(`http://${grpc}`).port) };
    const failures: string[] = [];
    const client = behaveWell({ name, ports, ca: undefined }, (failure) => failures.push(failure));
    while (!["HTTP version", "gRPC bad name"].every((surface) => (client.seen[surface]?.answers ?? 0) > 20)) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const before = memory(service.pid, "VmRSS");

    const observed = await run(ports[protocol]);
    const peak = memory(service.pid, "VmHWM");
    await client.pause();
    client.close();
    rows.push([
      `${protocol} ${name}`,
      observed,
      String(failures.length),
      `${before.toFixed(0)} → ${peak.toFixed(0)} MiB`,
    ]);
    service.kill("SIGTERM");
    const { code, err } = await service.ended;

    t.deepEqual(failures, [], "The well-behaved client is unaffected");
    t.is(observed.includes("open"), !disconnected, observed);
    t.true(peak - before < MAX_GROWTH_MIB, `${before} MiB before, ${peak} MiB at most`);
    t.is(`${code} ${err}`, "0 ");
    t.deepEqual(
      service.lines.filter(({ level }) => level === "error" || level === "fatal"),
      [],
    );
  });
}

/** Reads the resident memory of a process in MiB, now or at its peak (https://docs.kernel.org/filesystems/proc.html). */
function memory(pid: number, which: "VmRSS" | "VmHWM"): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`${which}:\\s+(\\d+) kB`).exec(status)![1]) / 1024;
}

test.after.always("print the table", () => {
  const header = ["attack", "observed by the peer", "errors of the well-behaved client", "memory before → at most"];
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)));
  const line = (row: string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join("  ")
      .trimEnd();
  process.stdout.write(`\n${[header, ...rows].map(line).join("\n")}\n\n`);
});
