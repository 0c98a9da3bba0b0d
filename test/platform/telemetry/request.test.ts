import test from "ava";
import { identity } from "../../../src/platform/identity.ts";
import type { LogLine } from "../../process.ts";
import { collectTelemetry } from "./collect.ts";

const GET_ITEM = "fixture.v1.ItemService/GetItem";
const CHECK = "grpc.health.v1.Health/Check";
const peer = { headers: {}, socket: { remoteAddress: "::1", remotePort: 40_000 } };

/** Returns the access log of a call that succeeds, a call that fails, and a health check. */
async function logOf(accessLog: "all" | "errors" | "off"): Promise<LogLine[]> {
  const { telemetry, lines } = await collectTelemetry({ accessLog });
  for (const [method, status] of [
    [GET_ITEM, "OK"],
    [GET_ITEM, "INVALID_ARGUMENT"],
    [CHECK, "OK"],
  ] as const) {
    telemetry.grpc.startRequest({ ...peer, method, path: `/${method}` }).end({ status, bytes: 0 });
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
      (await logOf(accessLog)).map(({ level }) => level),
      [...levels],
    );
  });
}

test("the address of an IPv6 peer is in brackets", async (t) => {
  t.is((await logOf("all"))[0]!["peer"], "[::1]:40000");
});

test("the log of a request carries its ids", async (t) => {
  const { telemetry, lines } = await collectTelemetry();
  const headers = {
    "x-request-id": "order-66",
    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  };
  const { log } = telemetry.grpc.startRequest({ ...peer, headers, method: GET_ITEM, path: `/${GET_ITEM}` });
  log.info({ items: 1 }, "Found");
  telemetry.log.flush();
  t.like(lines[0], {
    level: "info",
    msg: "Found",
    items: 1,
    request_id: "order-66",
    trace_id: "0af7651916cd43dd8448eb211c80319c",
    span_id: "b7ad6b7169203331",
  });
});

test("the metrics have the readiness, and count the requests that start during the drain", async (t) => {
  const { telemetry, readiness, samples } = await collectTelemetry();
  const late = (): number => samples(`${identity.metricPrefix}drain_requests_total`)['protocol="grpc"']!;
  const ready = (): number => samples(`${identity.metricPrefix}ready`)[""]!;
  const call = (): void =>
    telemetry.grpc.startRequest({ ...peer, method: GET_ITEM, path: `/${GET_ITEM}` }).end({ status: "OK", bytes: 0 });
  call();
  t.deepEqual([late(), ready()], [0, 1]);
  readiness.enter("draining");
  call();
  t.deepEqual([late(), ready()], [1, 0]);
});

test("the common series start at 0, so that rate() sees the first request", async (t) => {
  const { telemetry, samples } = await collectTelemetry();
  telemetry.grpc.expect(GET_ITEM);
  telemetry.http.expect("GET", "/items/{id}");
  const zeros = (metric: string): number =>
    Object.values(samples(`${metric}_count`)).filter((value) => value === 0).length;
  t.is(zeros("http_server_request_duration_seconds"), 1);
  t.is(zeros("rpc_server_call_duration_seconds"), 1);
});
