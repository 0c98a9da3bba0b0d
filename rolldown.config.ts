import { chmod, readFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { defineConfig } from "rolldown";
import { readCheckout } from "./src/build-info.ts";

const buildInfo = await readCheckout(import.meta.dirname);

// An image is built without the repository, and is told the revision.
const { VCS_REVISION, VCS_TIME, VCS_MODIFIED } = process.env;
if (VCS_REVISION) {
  buildInfo.settings = {
    vcs: "git",
    "vcs.revision": VCS_REVISION,
    ...(VCS_TIME && { "vcs.time": VCS_TIME }),
    ...(VCS_MODIFIED && { "vcs.modified": VCS_MODIFIED }),
  };
}

/** One file that starts with no node_modules beside it, and knows what it was built from. */
export default defineConfig({
  input: "src/main.ts",
  platform: "node",
  transform: { define: { EMBEDDED_BUILD_INFO: JSON.stringify(buildInfo) } },
  // depd compiles wrappers with eval, for functions that nobody here deprecates.
  checks: { eval: false },
  output: {
    cleanDir: true,
    dir: "dist",
    entryFileNames: "greeter.cjs",
    // A module would load everything of Node that it imports before its first line runs.
    format: "cjs",
    // Even here that comes first, but for a banner.
    banner: stripTypeScriptTypes(await readFile("src/signals.ts", "utf8")),
    codeSplitting: false,
    sourcemap: true,
  },
  plugins: [{ name: "executable", writeBundle: ({ dir }) => chmod(`${dir}/greeter.cjs`, 0o755) }],
});
