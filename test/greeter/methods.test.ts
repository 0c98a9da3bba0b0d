import test from "ava";
import { run } from "../../src/cli.ts";
import { GreeterService } from "../../src/gen/greeter/v1/greeter_pb.ts";
import { createGreeter } from "../../src/greeter/greeter.ts";
import { greeterRoutes } from "../../src/greeter/http.ts";
import { versionRoutes } from "../../src/platform/http/version.ts";
import { capture } from "../command-line.ts";
import { read } from "../docs.ts";
import { buildInfo } from "../sample-build-info.ts";

/** Route of each method. A method without a row does not compile. */
const routeOf: Record<keyof typeof GreeterService.method, string> = { greet: "/*name", version: "/version" };

const routers = [versionRoutes(async () => buildInfo), greeterRoutes(createGreeter("Hello", async () => buildInfo))];
const patterns = routers.flatMap(({ stack }) => stack).map(({ path }) => String(path));

for (const { localName, name } of GreeterService.methods) {
  test(`the method ${name} has a route, a command and its documentation`, async (t) => {
    t.true(patterns.includes(routeOf[localName as keyof typeof routeOf]), "Missing in src/greeter/http.ts");
    const { out } = await capture((io) => run(["call", "--help"], io));
    t.regex(out, new RegExp(`^  ${localName}\\b`, "m"), "Missing in src/greeter/commands.ts");
    t.true(read("docs/cli.md").text.includes(`\`call ${localName}`), "Missing in docs/cli.md");
    t.regex(read("docs/grpc-api.md").text, new RegExp(`\\b${name}\\b`), "Missing in docs/grpc-api.md");
  });
}

for (const pattern of patterns) {
  test(`the route ${pattern} is documented`, (t) => {
    const path = pattern.replaceAll(/[:*](\w+)/g, "<$1>");
    t.true(read("docs/http-api.md").text.includes(`GET ${path}\``), "Missing in docs/http-api.md");
  });
}
