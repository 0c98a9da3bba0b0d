import test from "ava";
import { send } from "../platform/http/request.ts";
import { readme } from "../readme.ts";
import { promtool } from "./promtool.ts";
import { serveFailing, startTraffic } from "./traffic.ts";
import { watchServices } from "./watched.ts";

test("promtool finds no fault in what /metrics tells after traffic of both protocols with errors among it", async (t) => {
  const { service, addresses } = await serveFailing(t);
  const traffic = startTraffic(t, addresses);
  await Promise.all([traffic.http(), traffic.grpc()]);
  // Its callers have their answers a moment before it has counted them.
  await service.logged((line) => line["status"] === "500" && line.msg === "Request");
  await service.logged((line) => line["status"] === "INTERNAL" && line.msg === "Call");
  const { body } = await send(addresses.admin, "/metrics", { accept: "text/plain" });
  t.regex(body, /^http_server_request_duration_seconds_count\{.*error_type="500"\} 1$/m);
  t.regex(body, /^rpc_server_call_duration_seconds_count\{.*error_type="INTERNAL"\} 1$/m);
  t.deepEqual(await promtool(["check", "metrics"], body), { code: 0, output: "" });
});

test("Prometheus scrapes OpenMetrics, and refuses nothing of it", async (t) => {
  const prometheus = await watchServices(t);
  const { activeTargets } = await prometheus.ask<{ activeTargets: { health: string; lastError: string }[] }>("targets");
  for (const target of activeTargets) t.like(target, { health: "up", lastError: "" });
  t.is(activeTargets.length, 2);
  // Only there is a counter called by its name without _total. promtool, which reads no OpenMetrics, can't tell.
  const metadata = await prometheus.ask<{ type: string }[]>("targets/metadata", { metric: "greeter_drain_requests" });
  t.deepEqual(new Set(metadata.map(({ type }) => type)), new Set(["counter"]));
});

test("the metrics of the README's table are there, with the labels that it tells", async (t) => {
  const prometheus = await watchServices(t);
  const [, section = ""] = /### Metrics\n([^]*?)\n### /.exec(readme) ?? [];
  const rows = [...section.matchAll(/^\| (`.*?) +\| (`.*?) +\|$/gm)];
  t.true(rows.length > 5);
  for (const [, metrics = "", labels = ""] of rows) {
    const [first = "", ...others] = [...metrics.matchAll(/`(.*?)`/g)].map(([, name]) => name!);
    const names = [first, ...others.map((name) => name.replace("…", first))];
    const matching = `{__name__=~"(${names.join("|")})(_count)?"}`;
    const samples = await prometheus.query(matching);
    for (const name of names) {
      t.true(
        samples.some(({ labels }) => labels["__name__"]!.replace(/_count$/, "") === name),
        name,
      );
    }
    // After a colon it tells of their values.
    const told = [...labels.replace(/:.*/, "").matchAll(/`(.*?)`/g)].map(([, label]) => label!);
    const { __name__, job, instance, ...seen } = Object.assign({}, ...samples.map(({ labels }) => labels)) as Record<
      string,
      string
    >;
    t.deepEqual(new Set(Object.keys(seen)).symmetricDifference(new Set(told)), new Set(), metrics);
  }
});
