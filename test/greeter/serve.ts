import type { ExecutionContext } from "ava";
import { createGreeter } from "../../src/greeter/greeter.ts";
import type { Greeter } from "../../src/greeter/greeter.ts";
import { greeterRoutes } from "../../src/greeter/http.ts";
import { versionRoutes } from "../../src/platform/http/version.ts";
import { serveHttp } from "../platform/http/serve.ts";
import type { ServedHttp } from "../platform/http/serve.ts";
import { buildInfo } from "../sample-build-info.ts";

/** Serves the greeter over HTTP, with the routes of `greeter serve`, on a port of its own. */
export function serveGreeter(
  t: ExecutionContext,
  { greeting = "Hello", ...methods }: Partial<Greeter> & { greeting?: string } = {},
): Promise<ServedHttp> {
  const greeter = { ...createGreeter(greeting, async () => buildInfo), ...methods };
  return serveHttp(t, { middleware: [versionRoutes(async () => buildInfo), greeterRoutes(greeter)] });
}
