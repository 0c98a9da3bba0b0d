import test from "ava";
import { formatBuildInfo } from "../../../src/platform/build-info.ts";
import { versionRoutes } from "../../../src/platform/http/version.ts";
import { buildInfo } from "../../sample-build-info.ts";
import { send, shownText } from "./request.ts";
import { serveHttp } from "./serve.ts";

test("GET /version returns the build information, escaped in a <pre>, as text and as JSON", async (t) => {
  const { origin } = await serveHttp(t);
  const html = await send(origin, "/version?x=1");
  t.is(html.status, 200);
  t.regex(html.body, /<pre>runtime\tnode v26\.0\.0\n/);
  t.true(html.body.includes("dep\t&lt;dep&gt;\t2.0.0\tsha512-x"));
  t.is((await send(origin, "/version", { accept: "text/plain" })).body, formatBuildInfo(buildInfo));
  const json = await send(origin, "/version", { accept: "application/json" });
  t.deepEqual(JSON.parse(json.body), {
    runtime: "node v26.0.0",
    main: { path: buildInfo.main.path, version: "1.0.0" },
    dependencies: [{ path: "<dep>", version: "2.0.0", sum: "sha512-x" }],
    settings: { platform: "linux" },
  });
});

test("the path is exact, so that a service may use the paths around it", async (t) => {
  const { origin } = await serveHttp(t);
  for (const path of ["/version/", "/Version", "//version"]) t.is((await send(origin, path)).status, 404);
});

test("unreadable build information is 500, and keeps the reason from the caller", async (t) => {
  const { origin, logged } = await serveHttp(t, {
    middleware: [versionRoutes(() => Promise.reject(new Error("secret")))],
  });
  const { status, body } = await send(origin, "/version");
  t.is(status, 500);
  t.true(shownText(body).includes("Internal error"));
  t.false(body.includes("secret"));
  t.like(await logged(({ msg }) => msg === "Request failed"), { err: { message: "secret" } });
});
