// A gRPC greeter on grpc-js, based on its helloworld example.
import { loadPackageDefinition, Server, ServerCredentials } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

const proto = new URL("../../proto/greeter/v1/greeter.proto", import.meta.url).pathname;
const definition = loadSync(proto, { keepCase: true, longs: String, enums: String, defaults: true, oneofs: true });
const { greeter } = loadPackageDefinition(definition);

const greet = (call, callback) => callback(null, { message: `Hello, ${call.request.name || "Linky 🐙"}!` });

const server = new Server();
server.addService(greeter.v1.GreeterService.service, { greet });
server.bindAsync(`127.0.0.1:${process.argv[2]}`, ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  process.stdout.write(`Listening on 127.0.0.1:${port}\n`);
});
