// An HTTP greeter on Express.
import express from "express";
import { escape } from "he";

const app = express();
const greet = (request, response) => {
  response.type("html").send(`Hello, ${escape(request.params.name ?? "Linky 🐙")}!\n`);
};
app.get("/", greet);
app.get("/:name", greet);
const server = app.listen(Number(process.argv[2]), "127.0.0.1", () => {
  process.stdout.write(`Listening on 127.0.0.1:${server.address().port}\n`);
});
