// A gRPC greeter on Connect for Node.
import { createServer } from "node:http2";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { GreeterService } from "../../src/gen/greeter/v1/greeter_pb.ts";

const routes = (router) =>
  router.service(GreeterService, { greet: (request) => ({ message: `Hello, ${request.name || "Linky 🐙"}!` }) });

const server = createServer(connectNodeAdapter({ routes }));
server.listen(Number(process.argv[2]), "127.0.0.1", () => {
  process.stdout.write(`Listening on 127.0.0.1:${server.address().port}\n`);
});
