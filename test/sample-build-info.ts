import type { BuildInfo } from "../src/platform/build-info.ts";

/** Build information with a name that needs escaping. */
export const buildInfo: BuildInfo = {
  runtime: "node v26.0.0",
  main: { path: "greeter", version: "1.0.0", sum: "" },
  dependencies: [{ path: "<dep>", version: "2.0.0", sum: "sha512-x" }],
  settings: { platform: "linux" },
};
