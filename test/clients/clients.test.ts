import { execFile } from "node:child_process";
import { promisify } from "node:util";
import test from "ava";
import { send } from "../platform/http/request.ts";
import { examples, patternOf, programsOf, root, run } from "../docs.ts";
import { listening, serveProcess } from "../process.ts";

const installed = `${import.meta.dirname}/.installed`;
const execute = promisify(execFile);

/** Programs that this test installs; `npm test` runs the other examples. */
const clients = new Set(["curl", "grpcurl"]);

for (const example of examples().filter((each) => programsOf(each).some((program) => clients.has(program)))) {
  test(`runs the example of ${example.title}`, async (t) => {
    const printed = await run(example, await listening(serveProcess(t)), `${installed}:${process.env["PATH"]}`);
    for (const [index, text] of printed.entries()) t.regex(text, patternOf(example.printed[index]!));
    t.is(printed.length, example.commands.length);
  });
}

test("Python's gRPC gets the same greeting, version and error as HTTP", async (t) => {
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

test("grpc-health-probe, which Kubernetes' gRPC probe equals, reports serving and draining", async (t) => {
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
  "greeter.v1.GreeterService.Greet":
    "rpc Greet ( .greeter.v1.GreetRequest ) returns ( .greeter.v1.GreetResponse ) {\n  option idempotency_level = NO_SIDE_EFFECTS;",
  "grpc.health.v1.HealthCheckResponse": ".grpc.health.v1.HealthCheckResponse.ServingStatus status = 1;",
};
for (const [symbol, description] of Object.entries(descriptions)) {
  test(`grpcurl describes ${symbol} without the proto file`, async (t) => {
    const { grpc } = await listening(serveProcess(t));
    const { stdout } = await execute(`${installed}/grpcurl`, ["-plaintext", grpc, "describe", symbol]);
    t.true(stdout.includes(description), stdout);
  });
}

test("grpcurl reports an unknown symbol", async (t) => {
  const { grpc } = await listening(serveProcess(t));
  const error = await t.throwsAsync(execute(`${installed}/grpcurl`, ["-plaintext", grpc, "describe", "nope.Nope"]));
  t.regex(error.message, /Symbol not found: nope\.Nope/);
});
