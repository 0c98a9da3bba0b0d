// An HTTP greeter on Fastify.
import Fastify from "fastify";
import { escape } from "he";

const app = Fastify();
const greet = (request, reply) => {
  reply.type("text/html; charset=utf-8").send(`Hello, ${escape(request.params.name ?? "Linky 🐙")}!\n`);
};
app.get("/", greet);
app.get("/:name", greet);
await app.listen({ port: Number(process.argv[2]), host: "127.0.0.1" });
process.stdout.write(`Listening on 127.0.0.1:${app.server.address().port}\n`);
