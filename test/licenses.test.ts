import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { root } from "./readme.ts";

/** Those that ask for no more than to be named, so that whoever copies or ships this may. */
const permissive = new Set(["Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT"]);

interface Lockfile {
  packages: Record<string, { license?: string; dev?: boolean; hasInstallScript?: boolean }>;
}

const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as Lockfile;
const production = Object.entries(packages).filter(([path, { dev }]) => path.startsWith("node_modules/") && !dev);

test("every production dependency has a permissive licence", (t) => {
  t.true(production.length > 50);
  for (const [path, { license = "none" }] of production) {
    const licenses = license.replaceAll(/[()]/g, "").split(" AND ");
    t.true(
      licenses.every((one) => permissive.has(one)),
      `${path}: ${license}`,
    );
  }
});

test("no production dependency but protobufjs wants to run a script when it is installed, and that is not allowed to", (t) => {
  const { allowScripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    allowScripts: Record<string, boolean>;
  };
  const scripted = production.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path);
  t.deepEqual(scripted, ["node_modules/protobufjs"]);
  t.false(allowScripts["protobufjs"]);
});
