import { readFile, realpath } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { printable } from "../greeter/greeter.ts";

/** One module of a build. */
export interface Module {
  /** The module's name in its registry. */
  path: string;
  version: string;
  /** The lockfile's Subresource Integrity hash; empty for the main module. */
  sum: string;
}

/** What is running, as deep as Go's debug.BuildInfo. */
export interface BuildInfo {
  /** The language runtime and its version. */
  runtime: string;
  main: Module;
  /** Every production dependency, the transitive ones too, sorted by path and then by version. */
  dependencies: Module[];
  /** `vcs.revision` and the like, by name; what is not known is left out. */
  settings: Record<string, string>;
}

/** The part of {@link BuildInfo} that a build fixes; the rest is known only where it runs. */
export type EmbeddedBuildInfo = Pick<BuildInfo, "main" | "dependencies" | "settings">;

/** What `npm run build` writes into the bundle in place of this name; a checkout has none. */
declare const EMBEDDED_BUILD_INFO: EmbeddedBuildInfo | undefined;

/**
 * Tells what is running: from what the build embedded, otherwise from the checkout's lockfile and git.
 * @throws {Error} there is neither
 */
export async function readBuildInfo(): Promise<BuildInfo> {
  const build =
    typeof EMBEDDED_BUILD_INFO === "undefined"
      ? await readCheckout(fileURLToPath(new URL("../..", import.meta.url)))
      : EMBEDDED_BUILD_INFO;
  return {
    runtime: `node ${process.version}`,
    main: build.main,
    dependencies: build.dependencies,
    settings: { ...build.settings, platform: process.platform, architecture: process.arch },
  };
}

/**
 * Build information from a checkout.
 * @param root the folder of package-lock.json
 * @throws {Error} the lockfile can't be read
 */
export async function readCheckout(root: string): Promise<EmbeddedBuildInfo> {
  const [lockfile, settings] = await Promise.all([readLockfile(root), readGit(root)]);
  return { ...lockfile, settings };
}

/** What this needs of a package-lock.json of version 2 or 3 (https://docs.npmjs.com/cli/configuring-npm/package-lock-json). */
interface Lockfile {
  packages: Record<string, { name?: string; version?: string; integrity?: string; dev?: boolean; optional?: boolean }>;
}

async function readLockfile(root: string): Promise<Pick<BuildInfo, "main" | "dependencies">> {
  let packages: Lockfile["packages"];
  try {
    ({ packages } = JSON.parse(await readFile(`${root}/package-lock.json`, "utf8")) as Lockfile);
  } catch (cause) {
    throw new Error("No build information: it was not embedded, and package-lock.json can't be read", { cause });
  }
  const main = packages[""];
  return {
    main: { path: main?.name ?? "", version: main?.version ?? "", sum: "" },
    dependencies: Object.entries(packages)
      // The optional packages are the Node runtimes that serve a checkout: `runtime` names the one in use.
      .filter(([location, entry]) => location !== "" && !entry.dev && !entry.optional)
      .map(([location, entry]) => ({
        path: entry.name ?? location.slice(location.lastIndexOf("node_modules/") + "node_modules/".length),
        version: entry.version ?? "",
        sum: entry.integrity ?? "",
      }))
      .toSorted((a, b) => compare(a.path, b.path) || compare(a.version, b.version))
      // A module that npm installed in several places is still one module.
      .filter(
        (module, index, all) => module.path !== all[index - 1]?.path || module.version !== all[index - 1]?.version,
      ),
  };
}

/** By code unit, so that the order does not depend on a locale. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The `vcs` settings, with Go's names for them; none where git or the repository is missing. */
async function readGit(root: string): Promise<Record<string, string>> {
  // git sets these for its hooks, and they name another repository than the one in `root`.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_")));
  // A build asks no git, and starts sooner without what could.
  const { execFile } = await import("node:child_process");
  const git = async (...args: string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)("git", ["--no-optional-locks", ...args], { cwd: root, env });
    return stdout.trim();
  };
  try {
    // A copy of these files inside somebody else's repository has no revision of its own.
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

/**
 * Build information as tab-separated lines, in the manner of Go's `go version -m`:
 * `runtime`, `mod`, one `dep` for each dependency, one `build` for each setting.
 */
export function formatBuildInfo({ runtime, main, dependencies, settings }: BuildInfo): string {
  const lines = [
    ["runtime", runtime],
    ["mod", main.path, main.version],
    ...dependencies.map(({ path, version, sum }) => ["dep", path, version, sum]),
    ...Object.entries(settings).map(([name, value]) => ["build", `${name}=${value}`]),
  ];
  return lines.map((fields) => `${fields.map(printable).join("\t")}\n`).join("");
}
