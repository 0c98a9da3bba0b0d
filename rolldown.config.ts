import { chmod, readFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { defineConfig } from "rolldown";
import { billOfMaterials } from "./build/sbom.ts";
import { readCheckout } from "./src/platform/build-info.ts";

const buildInfo = await readCheckout(import.meta.dirname);

// An image is built without the repository, so the environment has the revision.
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

/** Bundles the service into files that need no node_modules, with the build information embedded. */
export default defineConfig({
  input: "src/main.ts",
  preserveEntrySignatures: false,
  platform: "node",
  transform: { define: { EMBEDDED_BUILD_INFO: JSON.stringify(buildInfo) } },
  // depd uses eval only for deprecated functions, which are not called. A lazily imported module in the same file still runs lazily.
  checks: { eval: false, ineffectiveDynamicImport: false },
  output: {
    cleanDir: true,
    dir: "dist",
    entryFileNames: "greeter.cjs",
    // An ES module loads all of its imports from Node before its first line runs.
    format: "cjs",
    // The signal handlers come first, so that a signal during the load is not lost.
    banner: ({ isEntry }) => (isEntry ? signals : ""),
    // Loaded only to export traces, or on a terminal. Their dependencies stay in the main file, which needs some of them itself.
    codeSplitting: {
      groups: [
        { name: "otlp", test: /otlp\.ts$|@opentelemetry/, includeDependenciesRecursively: false },
        { name: "pretty", test: /pino-pretty/, includeDependenciesRecursively: false },
        { name: "greeter" },
      ],
    },
    chunkFileNames: "[name].cjs",
    sourcemap: true,
    // Sources with their comments would double the size. Names and line breaks stay, for readable stack traces.
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
