import test from "ava";
import type { LogLine } from "../../process.ts";
import { collectTelemetry } from "./collect.ts";

const GREET = "greeter.v1.GreeterService/Greet";
const CHECK = "grpc.health.v1.Health/Check";
const arrival = { headers: {}, socket: { remoteAddress: "::1", remotePort: 40_000 } };

/** What is logged of a call that is well, one that failed, and a health check. */
async function logged(accessLog: "all" | "errors" | "off"): Promise<LogLine[]> {
  const lines: LogLine[] = [];
  const output = {
    write: (text: string) =>
      text
        .trimEnd()
        .split("\n")
        .forEach((line) => lines.push(JSON.parse(line) as LogLine)),
  };
  const { telemetry } = await collectTelemetry({ accessLog, output });
  for (const [method, status] of [
    [GREET, "OK"],
    [GREET, "INVALID_ARGUMENT"],
    [CHECK, "OK"],
  ] as const) {
    telemetry.grpc.begin({ ...arrival, method, path: `/${method}` }).end({ status, bytes: 0 });
  }
  telemetry.log.flush();
  return lines.filter(({ msg }) => msg === "Call");
}

for (const [accessLog, levels] of [
  ["all", ["info", "warn", "debug"]],
  ["errors", ["warn"]],
  ["off", []],
] as const) {
  test(`--access-log ${accessLog} logs ${levels.join(", ") || "nothing"}`, async (t) => {
    t.deepEqual(
      (await logged(accessLog)).map(({ level }) => level),
      [...levels],
    );
  });
}

test("an IPv6 peer stands in brackets", async (t) => {
  t.is((await logged("all"))[0]!["peer"], "[::1]:40000");
});

test("readiness is told, and what begins after it has flipped is counted", async (t) => {
  const { telemetry, readiness, samples } = await collectTelemetry();
  const late = (): number => samples("greeter_drain_requests_total")['protocol="grpc"']!;
  const call = (): void =>
    telemetry.grpc.begin({ ...arrival, method: GREET, path: `/${GREET}` }).end({ status: "OK", bytes: 0 });
  call();
  t.deepEqual([late(), samples("greeter_ready")[""]], [0, 1]);
  readiness.enter("draining");
  call();
  t.deepEqual([late(), samples("greeter_ready")[""]], [1, 0]);
});

test("what every good day brings is there from the start, so that the first of it is an increase", async (t) => {
  const { telemetry, samples } = await collectTelemetry();
  telemetry.grpc.expect(GREET);
  const zeros = (metric: string): number =>
    Object.values(samples(`${metric}_count`)).filter((value) => value === 0).length;
  t.is(zeros("http_server_request_duration_seconds"), 3);
  t.is(zeros("rpc_server_call_duration_seconds"), 1);
});
