import test from "ava";
import { send } from "../platform/http/request.ts";
import { documentation } from "../docs.ts";
import { promtool } from "./promtool.ts";
import { serveFailing, startTraffic } from "./traffic.ts";
import { watchServices } from "./watched.ts";

test("promtool accepts /metrics after traffic with errors on both protocols", async (t) => {
  const { service, addresses } = await serveFailing(t);
  const traffic = startTraffic(t, addresses);
  await Promise.all([traffic.http(), traffic.grpc()]);
  // A caller gets its response shortly before the service counts the request.
  await service.logged((line) => line["status"] === "500" && line.msg === "Request");
  await service.logged((line) => line["status"] === "INTERNAL" && line.msg === "Call");
  const { body } = await send(addresses.admin, "/metrics", { accept: "text/plain" });
  t.regex(body, /^http_server_request_duration_seconds_count\{.*error_type="500"\} 1$/m);
  t.regex(body, /^rpc_server_call_duration_seconds_count\{.*error_type="INTERNAL"\} 1$/m);
  t.deepEqual(await promtool(["check", "metrics"], body), { code: 0, output: "" });
});

test("Prometheus scrapes OpenMetrics without an error", async (t) => {
  const prometheus = await watchServices(t);
  const { activeTargets } = await prometheus.ask<{ activeTargets: { health: string; lastError: string }[] }>("targets");
  for (const target of activeTargets) t.like(target, { health: "up", lastError: "" });
  t.is(activeTargets.length, 2);
  // Only OpenMetrics names a counter without _total. promtool reads no OpenMetrics, so it cannot check this.
  const metadata = await prometheus.ask<{ type: string }[]>("targets/metadata", { metric: "greeter_drain_requests" });
  t.deepEqual(new Set(metadata.map(({ type }) => type)), new Set(["counter"]));
});

test("every metric of the documentation's table exists, with the labels of the table", async (t) => {
  const prometheus = await watchServices(t);
  const [, section = ""] = /^#+ Metrics\n([^]*?)^#+ /m.exec(documentation) ?? [];
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
    // The text after a colon describes the values.
    const documented = [...labels.replace(/:.*/, "").matchAll(/`(.*?)`/g)].map(([, label]) => label!);
    const { __name__, job, instance, ...seen } = Object.assign({}, ...samples.map(({ labels }) => labels)) as Record<
      string,
      string
    >;
    t.deepEqual(new Set(Object.keys(seen)).symmetricDifference(new Set(documented)), new Set(), metrics);
  }
});
