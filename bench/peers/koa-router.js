// An HTTP greeter on Koa with its router.
import { Router } from "@koa/router";
import { escape } from "he";
import Koa from "koa";

const app = new Koa();
const router = new Router();
const greet = (context) => {
  context.type = "html";
  context.body = `Hello, ${escape(context.params.name ?? "Linky 🐙")}!\n`;
};
router.get("/", greet);
router.get("/:name", greet);
app.use(router.routes());
app.use(router.allowedMethods());
const server = app.listen(Number(process.argv[2]), "127.0.0.1", () => {
  process.stdout.write(`Listening on 127.0.0.1:${server.address().port}\n`);
});
