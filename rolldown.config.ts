import { chmod, readFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { defineConfig } from "rolldown";
import { billOfMaterials } from "./build/sbom.ts";
import { readCheckout } from "./src/platform/build-info.ts";

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

const sbom = await billOfMaterials(import.meta.dirname, buildInfo);
const signals = stripTypeScriptTypes(await readFile("src/platform/lifecycle/signals.ts", "utf8"));

/** Files that start with no node_modules beside them, and know what they were built from. */
export default defineConfig({
  input: "src/main.ts",
  preserveEntrySignatures: false,
  platform: "node",
  transform: { define: { EMBEDDED_BUILD_INFO: JSON.stringify(buildInfo) } },
  // depd compiles wrappers with eval, for functions that nobody here deprecates.
  // What is imported where it is needed is run only then, in the same file, too.
  checks: { eval: false, ineffectiveDynamicImport: false },
  output: {
    cleanDir: true,
    dir: "dist",
    entryFileNames: "greeter.cjs",
    // A module would load everything of Node that it imports before its first line runs.
    format: "cjs",
    // Even here that comes first, but for a banner.
    banner: ({ isEntry }) => (isEntry ? signals : ""),
    // Loaded only to send traces, or on a terminal. Without their dependencies: the main file needs some of them too, and would load them
    // from these files.
    codeSplitting: {
      groups: [
        { name: "otlp", test: /otlp\.ts$|@opentelemetry/, includeDependenciesRecursively: false },
        { name: "pretty", test: /pino-pretty/, includeDependenciesRecursively: false },
        { name: "greeter" },
      ],
    },
    chunkFileNames: "[name].cjs",
    sourcemap: true,
    // Half of everything would be the sources and their comments. Names and lines stay, for stack traces and whoever looks inside.
    sourcemapExcludeSources: true,
    comments: { legal: true, jsdoc: false, annotation: false },
    minify: { mangle: false, codegen: { removeWhitespace: false } },
  },
  plugins: [
    {
      name: "bill-of-materials",
      generateBundle() {
        this.emitFile({ type: "asset", fileName: "greeter.cdx.json", source: sbom });
      },
    },
    { name: "executable", writeBundle: ({ dir }) => chmod(`${dir}/greeter.cjs`, 0o755) },
  ],
});
