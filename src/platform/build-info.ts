import { readFile, realpath } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { printable } from "./text.ts";

/** One module of a build. */
export interface Module {
  /** The module's name in its registry. */
  path: string;
  version: string;
  /** The lockfile's Subresource Integrity hash; empty for the main module. */
  sum: string;
}

/** Build information, as detailed as Go's debug.BuildInfo. */
export interface BuildInfo {
  /** The language runtime and its version. */
  runtime: string;
  main: Module;
  /** Every production dependency, including transitive ones, sorted by path and then by version. */
  dependencies: Module[];
  /** `vcs.revision` and the like, by name. Unknown ones are absent. */
  settings: Record<string, string>;
}

/** The part of {@link BuildInfo} that is known at build time. */
export type EmbeddedBuildInfo = Omit<BuildInfo, "runtime">;

/** `npm run build` replaces this name in the bundle. A checkout has no such value. */
declare const EMBEDDED_BUILD_INFO: EmbeddedBuildInfo | undefined;

/**
 * Reads the build information that the build embedded, or else that of the checkout: its lockfile and git.
 * @throws {Error} there is neither
 */
export async function readBuildInfo(): Promise<BuildInfo> {
  const { settings, ...modules } =
    typeof EMBEDDED_BUILD_INFO === "undefined"
      ? await readCheckout(fileURLToPath(new URL("../..", import.meta.url)))
      : EMBEDDED_BUILD_INFO;
  const { version, platform, arch: architecture } = process;
  return { runtime: `node ${version}`, ...modules, settings: { ...settings, platform, architecture } };
}

/** Package in package-lock.json, version 2 or 3 (https://docs.npmjs.com/cli/configuring-npm/package-lock-json). */
type Package = Partial<Record<"name" | "version" | "integrity", string> & Record<"dev" | "optional", boolean>>;

/**
 * Reads the build information of a checkout.
 * @param root folder of package-lock.json
 * @throws {Error} the lockfile cannot be read
 */
export async function readCheckout(root: string): Promise<EmbeddedBuildInfo> {
  const lockfile = await readFile(`${root}/package-lock.json`, "utf8").catch((cause: Error) => {
    const message = "Cannot read build information: none is embedded, and package-lock.json is not readable";
    throw new Error(message, { cause });
  });
  const { "": main, ...others } = (JSON.parse(lockfile) as { packages: Record<string, Package> }).packages;
  const modules = new Map<string, Module>();
  for (const [location, { name, version = "", integrity = "", dev, optional }] of Object.entries(others)) {
    // The optional packages are the Node runtimes of a checkout. `runtime` names the one in use.
    if (dev || optional) continue;
    const path = name ?? location.replace(/^.*node_modules\//, "");
    // npm may install a module in several places.
    modules.set(`${path}\t${version}`, { path, version, sum: integrity });
  }
  return {
    main: { path: main?.name ?? "", version: main?.version ?? "", sum: "" },
    // By code unit, so that the order does not depend on a locale.
    dependencies: [...modules.keys()].toSorted().map((key) => modules.get(key)!),
    settings: await readGit(root),
  };
}

/** Reads the `vcs` settings, with Go's names; none without git or a repository. */
async function readGit(root: string): Promise<Record<string, string>> {
  // git sets these in hooks, and they name another repository.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_")));
  // Loaded here, because a bundle does not need it.
  const { execFile } = await import("node:child_process");
  const git = async (...args: string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)("git", ["--no-optional-locks", ...args], { cwd: root, env });
    return stdout.trim();
  };
  try {
    // A copy of these files inside another repository has no revision.
    if ((await realpath(await git("rev-parse", "--show-toplevel"))) !== (await realpath(root))) return {};
    const [commit, changes] = await Promise.all([git("log", "-1", "--format=%H %ct"), git("status", "--porcelain")]);
    const [revision = "", seconds] = commit.split(" ");
    return {
      vcs: "git",
      "vcs.revision": revision,
      "vcs.time": new Date(Number(seconds) * 1000).toISOString().replace(".000Z", "Z"),
      "vcs.modified": String(changes !== ""),
    };
  } catch {
    return {};
  }
}

/** Formats build information as tab-separated lines, like Go's `go version -m`: `runtime`, `mod`, `dep`s and `build`s. */
export function formatBuildInfo({ runtime, main, dependencies, settings }: BuildInfo): string {
  const lines = [
    ["runtime", runtime],
    ["mod", main.path, main.version],
    ...dependencies.map(({ path, version, sum }) => ["dep", path, version, sum]),
    ...Object.entries(settings).map(([name, value]) => ["build", `${name}=${value}`]),
  ];
  return lines.map((fields) => `${fields.map(printable).join("\t")}\n`).join("");
}

/** Formats build information as JSON, in the form of protobuf JSON: without empty fields. */
export function buildInfoJson({ runtime, main, dependencies, settings }: BuildInfo): string {
  return JSON.stringify({
    runtime: runtime || undefined,
    main: moduleJson(main),
    dependencies: dependencies.length > 0 ? dependencies.map(moduleJson) : undefined,
    settings: Object.keys(settings).length > 0 ? settings : undefined,
  });
}

/** A module that a server has sent has more properties. */
function moduleJson({ path, version, sum }: Module): object {
  return { path: path || undefined, version: version || undefined, sum: sum || undefined };
}
