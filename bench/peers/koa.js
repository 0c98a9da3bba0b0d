// An HTTP greeter on Koa, with one middleware.
import { escape } from "he";
import Koa from "koa";

const app = new Koa();
app.use((context) => {
  const name = decodeURIComponent(context.path.slice(1)) || "Linky 🐙";
  context.type = "html";
  context.body = `Hello, ${escape(name)}!\n`;
});
const server = app.listen(Number(process.argv[2]), "127.0.0.1", () => {
  process.stdout.write(`Listening on 127.0.0.1:${server.address().port}\n`);
});
