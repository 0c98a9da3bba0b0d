import { Agent, request } from "node:http";
import type { RequestOptions } from "node:http";
import { connect } from "node:http2";
import test from "ava";
import { serveGrpc } from "../grpc/serve.ts";
import { serveHttp } from "../http/serve.ts";

const COUNT = 10_000;
const methods = ["GET", "POST", "PROPFIND", "M-SEARCH"];

/** Returns the number of series, without those of the event loop's resources, which the clients in this process have too. */
function seriesOf({ telemetry }: { telemetry: { exposeMetrics(accept: string): { text: string } } }): number {
  return telemetry.exposeMetrics("").text.match(/^(?!#|v8js_resource_active)./gm)!.length;
}

/** Runs a function many times, 50 at a time. */
async function repeat(count: number, once: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count) await once(next++);
  };
  await Promise.all(Array.from({ length: 50 }, work));
}

test("10,000 paths, headers and methods of HTTP requests create no series", async (t) => {
  const served = await serveHttp(t);
  const agent = new Agent({ keepAlive: true });
  t.teardown(() => agent.destroy());
  const send = (index: number): Promise<void> => {
    const options: RequestOptions = {
      agent,
      port: served.port,
      method: methods[index % methods.length]!,
      path: `/items/name-${index}?${index}`,
      headers: { "X-Request-Id": `id-${index}`, "User-Agent": `agent-${index}`, Accept: "text/plain" },
    };
    return new Promise((resolve, reject) => {
      const sent = request(options, (response) => response.resume().once("end", resolve));
      sent.once("error", reject).end();
    });
  };
  await repeat(methods.length, send);
  const before = seriesOf(served);
  await repeat(COUNT, send);
  t.is(seriesOf(served), before);
});

test("10,000 unknown methods of gRPC calls create no series", async (t) => {
  const served = await serveGrpc(t);
  const session = connect(`http://${served.target}`);
  t.teardown(() => session.destroy());
  const call = (index: number): Promise<void> => {
    const stream = session.request({
      ":method": "POST",
      ":path": `/service-${index}/Method${index}`,
      "content-type": "application/grpc",
      "x-request-id": `id-${index}`,
    });
    stream.end();
    return new Promise((resolve, reject) => {
      stream.resume().once("close", resolve).once("error", reject);
    });
  };
  await call(COUNT);
  const before = seriesOf(served);
  await repeat(COUNT, call);
  t.is(seriesOf(served), before);
});
