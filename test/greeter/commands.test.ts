import test from "ava";
import type { ExecutionContext } from "ava";
import { run } from "../../src/cli.ts";
import { createGreeter } from "../../src/greeter/greeter.ts";
import { greeterService } from "../../src/greeter/grpc.ts";
import { buildInfoJson } from "../../src/platform/build-info.ts";
import { capture } from "../command-line.ts";
import { serveGrpc } from "../platform/grpc/serve.ts";
import { buildInfo } from "../sample-build-info.ts";

const hostile = { ...buildInfo, runtime: "node\nbuild\tvcs.modified=false\u001B[2J" };

/** Calls a server whose responses contain control characters, and returns the output. */
async function callHostile(t: ExecutionContext, ...args: string[]): Promise<string> {
  const greeter = createGreeter("Hello", async () => hostile);
  const service = greeterService({ ...greeter, greet: async () => "Hello\u001B]0;owned\u0007\nforged" });
  const { target } = await serveGrpc(t, { services: [service] });
  const { code, out, err } = await capture((io) => run(["call", ...args, "--target", target], io));
  t.deepEqual({ code, err }, { code: 0, err: "" });
  return out;
}

test("call prints no control characters of a server, so that it cannot forge a line or control the terminal", async (t) => {
  t.is(await callHostile(t, "greet"), "Hello\uFFFD]0;owned\uFFFD\uFFFDforged\n");
  const [runtime] = (await callHostile(t, "version")).split("\n");
  t.is(runtime, "runtime\tnode\uFFFDbuild\uFFFDvcs.modified=false\uFFFD[2J");
});

test("call --output json prints the response as protobuf JSON", async (t) => {
  const json = ["--output", "json"];
  t.is(await callHostile(t, "greet", ...json), '{"message":"Hello\\u001b]0;owned\\u0007\\nforged"}\n');
  t.is(await callHostile(t, "version", ...json), `${buildInfoJson(hostile)}\n`);
});
