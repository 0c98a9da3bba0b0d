import { execFile } from "node:child_process";
import { promisify } from "node:util";
import test from "ava";
import { send } from "../http/request.ts";
import { listening, serveProcess } from "../process.ts";
import { examples, root } from "../readme.ts";

const installed = `${import.meta.dirname}/.installed`;
const execute = promisify(execFile);

for (const { command, printed } of [...examples("curl"), ...examples("grpcurl")]) {
  test(`the README's example runs: ${command}`, async (t) => {
    const { http, grpc } = await listening(serveProcess(t));
    const here = command
      .replace("http://localhost:8080", http)
      .replace("localhost:50051", grpc)
      .replace(/^curl/, "curl --silent");
    const { stdout } = await execute("sh", ["-c", here], {
      cwd: root,
      env: { ...process.env, PATH: `${installed}:${process.env["PATH"]}` },
    });
    t.is(stdout.trimEnd(), printed);
  });
}

test("Python's gRPC gets the greeting, the version and the errors, as HTTP does", async (t) => {
  const { http, grpc } = await listening(serveProcess(t));
  const { stdout } = await execute(`${installed}/python/bin/python`, [`${import.meta.dirname}/client.py`, grpc], {
    env: { ...process.env, PYTHONPATH: `${root}/proto` },
  });
  const version = await send(http, "/version", { accept: "application/json" });
  t.deepEqual(JSON.parse(stdout), {
    default: "Hello, Linky 🐙!",
    name: "Hello, Zoë 👩‍👩‍👧‍👦!",
    version: JSON.parse(version.body) as unknown,
    empty: ["INVALID_ARGUMENT", 'Invalid name "": expected 1 to 256 characters'],
  });
});
