import { execFile } from "node:child_process";
import { promisify } from "node:util";
import test from "ava";
import { listening, serveProcess } from "../process.ts";
import { blocks, root } from "../docs.ts";
import { createAuthority } from "./certificates.ts";

test("the documentation's example of TLS runs", async (t) => {
  const { ca, issue } = createAuthority(t);
  const [server, client] = [issue(), issue({ name: "client" })];
  const files: Record<string, string> = {
    "tls.crt": server.cert,
    "tls.key": server.key,
    "client.crt": client.cert,
    "client.key": client.key,
    "ca.crt": ca,
  };
  const example = blocks("sh").find((block) => block.includes("--tls-cert"))!;
  const [serve = "", call = ""] = example.replaceAll(/\w+\.(?:crt|key)/g, (name) => files[name]!).split("\n");
  const { grpc } = await listening(serveProcess(t, serve.replace("npm start -- ", "").split(" ")));
  const target = `localhost:${grpc.split(":")[1]}`;
  const { stdout } = await promisify(execFile)("sh", ["-c", `${call} --target ${target}`], { cwd: root });
  t.is(stdout, "Hello, Ada!\n");
});
