// A gRPC greeter on nice-grpc, with proto-loader's definition.
import { loadPackageDefinition } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { createServer } from "nice-grpc";

const proto = new URL("../../proto/greeter/v1/greeter.proto", import.meta.url).pathname;
const { greeter } = loadPackageDefinition(loadSync(proto));

const server = createServer();
server.add(greeter.v1.GreeterService.service, {
  Greet: async (request) => ({ message: `Hello, ${request.name || "Linky 🐙"}!` }),
  Version: async () => ({}),
});
const port = await server.listen(`127.0.0.1:${process.argv[2]}`);
process.stdout.write(`Listening on 127.0.0.1:${port}\n`);
