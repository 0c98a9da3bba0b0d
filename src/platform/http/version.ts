import { Router } from "@koa/router";
import { buildInfoJson, formatBuildInfo, type BuildInfo } from "../build-info.ts";
import { versionPage } from "./pages.ts";
import { respond } from "./representations.ts";

/** Creates the route `/version`: the build information. */
export function versionRoutes(readBuildInfo: () => Promise<BuildInfo>): Router {
  // Exact: a service may use /version/ and /Version.
  const router = new Router({ strict: true, sensitive: true });
  router.get("/version", async (context) => {
    const buildInfo = await readBuildInfo();
    respond(context, {
      html: () => versionPage(formatBuildInfo(buildInfo)),
      json: () => `${buildInfoJson(buildInfo)}\n`,
      text: () => formatBuildInfo(buildInfo),
    });
  });
  return router;
}
