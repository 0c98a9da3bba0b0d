// The same greeter, whose two workers are given their connections as Greeter gives them.
import { createServer } from "node:http";
import { createDistributor } from "../../src/workers/distributor.ts";
import { startWorker } from "../../src/workers/process.ts";
import { connectPrimary } from "../../src/workers/worker.ts";

const port = Number(process.argv[3]);
const worker = process.env["GREETER_WORKER"];

if (worker === undefined) {
  const distributor = createDistributor("http", 10_000);
  for (const number of [1, 2]) {
    const started = startWorker(number, {}, process.stdout);
    await started.started;
    distributor.add(started);
  }
  distributor.listener.listen(port, "127.0.0.1");
} else {
  const primary = connectPrimary(Number(worker));
  const listener = createServer((request, response) => {
    const name = decodeURIComponent(request.url!.slice(1));
    response.writeHead(200, { "Content-Type": "text/plain; charset=utf-8" }).end(`Hello, ${name}!\n`);
  });
  listener.maxConnections = 10_000;
  primary.listen({ readMetrics: () => [], setLogLevel: () => {} });
  const nothing = async (): Promise<never> => Promise.reject(new Error("Nothing is drained here"));
  await primary.serverFor("http", { listener, drain: nothing, cut: nothing }).start();
  primary.serving();
}
