import { once } from "node:events";
import { connect } from "node:net";
import test from "ava";
import { send } from "./platform/http/request.ts";
import { startProcess } from "./process.ts";

test("a server ends when the process that started it is killed", async (t) => {
  const parent = startProcess(t, [`${import.meta.dirname}/fixtures/parent.ts`]);
  const http = String((await parent.logged(({ msg }) => msg === "Started"))["http"]);
  const socket = connect(Number(new URL(http).port), "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  const closed = new Promise((resolve) => socket.once("close", resolve));
  parent.kill("SIGKILL");
  t.like(await parent.ended, { signal: "SIGKILL" });
  await closed;
  // The kernel may close the connection before the listener.
  for (let code: string | undefined; code !== "ECONNREFUSED";) {
    const error = await t.throwsAsync<NodeJS.ErrnoException>(send(http, "/"));
    code = error?.code;
  }
});
