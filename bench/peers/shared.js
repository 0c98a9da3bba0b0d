// A greeter of two workers that share a port: by node:cluster (argument "cluster") or by SO_REUSEPORT ("reuse-port").
import { fork } from "node:child_process";
import cluster from "node:cluster";
import { createServer } from "node:http";

const [, script, way, port] = process.argv;
const isWorker = process.env["SHARED_WORKER"] !== undefined;

if (isWorker) {
  const server = createServer((request, response) => {
    const name = decodeURIComponent(request.url.slice(1));
    response.writeHead(200, { "Content-Type": "text/plain; charset=utf-8" }).end(`Hello, ${name}!\n`);
  });
  server.listen({ port: Number(port), host: "127.0.0.1", reusePort: way === "reuse-port" });
} else {
  for (let worker = 1; worker <= 2; worker++) {
    if (way === "cluster") cluster.fork({ SHARED_WORKER: worker });
    else fork(script, [way, port], { env: { ...process.env, SHARED_WORKER: worker } });
  }
}
