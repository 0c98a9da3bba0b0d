// An HTTP greeter on node:http alone.
import { createServer } from "node:http";
import { escape } from "he";

const server = createServer((request, response) => {
  const name = decodeURIComponent(request.url.slice(1)) || "Linky 🐙";
  response.setHeader("Content-Type", "text/html; charset=utf-8");
  response.end(`Hello, ${escape(name)}!\n`);
});
server.listen(Number(process.argv[2]), "127.0.0.1", () => {
  process.stdout.write(`Listening on 127.0.0.1:${server.address().port}\n`);
});
