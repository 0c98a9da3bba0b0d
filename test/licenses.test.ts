import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { root } from "./docs.ts";

/** Licenses that require only attribution, so that anyone may copy and ship this service. */
const permissive = new Set(["Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT"]);

interface Lockfile {
  packages: Record<string, { license?: string; dev?: boolean; hasInstallScript?: boolean }>;
}

const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as Lockfile;
const production = Object.entries(packages).filter(([path, { dev }]) => path.startsWith("node_modules/") && !dev);

test("every production dependency has a permissive license", (t) => {
  t.true(production.length > 50);
  for (const [path, { license = "none" }] of production) {
    const licenses = license.replaceAll(/[()]/g, "").split(" AND ");
    t.true(
      licenses.every((one) => permissive.has(one)),
      `${path}: ${license}`,
    );
  }
});

test("protobufjs is the only production dependency with an install script, and npm is not allowed to run it", (t) => {
  const { allowScripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    allowScripts: Record<string, boolean>;
  };
  const scripted = production.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path);
  t.deepEqual(scripted, ["node_modules/protobufjs"]);
  t.false(allowScripts["protobufjs"]);
});
