import { execFile } from "node:child_process";
import { promisify } from "node:util";
import test from "ava";
import { send } from "../platform/http/request.ts";
import { listening, serveProcess } from "../process.ts";
import { examples, root } from "../readme.ts";

const installed = `${import.meta.dirname}/.installed`;
const execute = promisify(execFile);

for (const { command, printed } of [...examples("curl"), ...examples("grpcurl")]) {
  test(`the README's example runs: ${command}`, async (t) => {
    const { http, grpc, admin } = await listening(serveProcess(t));
    const here = command
      .replace("http://localhost:8080", http)
      .replace("http://localhost:9090", admin)
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

test("grpc-health-probe, and with it Kubernetes' gRPC probe, sees the service come and go", async (t) => {
  const service = serveProcess(t, ["--drain-delay", "1h"]);
  const { grpc } = await listening(service);
  const probe = async (...flags: string[]): Promise<string> => {
    try {
      const { stderr } = await execute(`${installed}/grpc-health-probe`, ["-addr", grpc, ...flags]);
      return stderr.trim();
    } catch (error) {
      return `${(error as { code: number }).code}: ${(error as { stderr: string }).stderr.trim()}`;
    }
  };
  await service.logged(({ msg }) => msg === "Serving");
  t.is(await probe(), "status: SERVING");
  t.is(await probe("-service", "greeter.v1.GreeterService"), "status: SERVING");
  t.regex(await probe("-service", "nope"), /^3: .*NotFound/);
  service.kill("SIGTERM");
  await service.logged(({ msg }) => msg.startsWith("Draining"));
  t.is(await probe(), '4: service unhealthy (responded with "NOT_SERVING")');
});

const descriptions = {
  "greeter.v1.GreeterService.Greet": "rpc Greet ( .greeter.v1.GreetRequest ) returns ( .greeter.v1.GreetResponse );",
  "grpc.health.v1.HealthCheckResponse": ".grpc.health.v1.HealthCheckResponse.ServingStatus status = 1;",
};
for (const [symbol, description] of Object.entries(descriptions)) {
  test(`grpcurl describes ${symbol} without the proto file`, async (t) => {
    const { grpc } = await listening(serveProcess(t));
    const { stdout } = await execute(`${installed}/grpcurl`, ["-plaintext", grpc, "describe", symbol]);
    t.true(stdout.includes(description), stdout);
  });
}

test("grpcurl is told that it asks for an unknown symbol", async (t) => {
  const { grpc } = await listening(serveProcess(t));
  const error = await t.throwsAsync(execute(`${installed}/grpcurl`, ["-plaintext", grpc, "describe", "nope.Nope"]));
  t.regex(error.message, /Symbol not found: nope\.Nope/);
});
