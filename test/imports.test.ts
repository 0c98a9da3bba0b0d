import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import test from "ava";

const src = join(import.meta.dirname, "../src");

/** What a file imports, lazily, for a type or for its effect. */
interface Imports {
  /** The files of src among it. */
  files: string[];
  /** Those of them that are imported for their types alone. */
  types: string[];
  packages: string[];
}

const imports = new Map(
  readdirSync(src, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file): [string, Imports] => {
      const text = readFileSync(join(src, file), "utf8");
      const specifiers = [...text.matchAll(/(?:from |import |import\()"([^"]+)"/g)].map((match) => match[1]!);
      const typeSpecifiers = [...text.matchAll(/^import type [^"]+"(\.[^"]+)"/gm)].map((match) => match[1]!);
      const valueSpecifiers = new Set(
        [...text.matchAll(/^import (?!type )[^"]*"(\.[^"]+)"/gm)].map((match) => match[1]!),
      );
      const inSrc = (specifier: string): string => relative(src, resolve(src, dirname(file), specifier));
      return [
        file,
        {
          files: specifiers.filter((specifier) => specifier.startsWith(".")).map(inSrc),
          types: typeSpecifiers.filter((specifier) => !valueSpecifiers.has(specifier)).map(inSrc),
          packages: specifiers.filter((specifier) => !specifier.startsWith(".")),
        },
      ];
    }),
);

const domain = ["greeter.ts", "build-info.ts", "readiness.ts", "admission.ts"];

/** Who may import whom. A folder stands for every file in it. */
const allowed: Record<string, string[]> = {
  "main.ts": ["signals.ts", "cli.ts"],
  "cli.ts": [
    "config.ts",
    "settings.ts",
    "values.ts",
    "usage.ts",
    "serve.ts",
    "call.ts",
    "check-health.ts",
    "options.ts",
    "printer.ts",
    ...domain,
  ],
  "call.ts": ["address.ts", "grpc/client.ts", "telemetry/tracing.ts", "telemetry/trace-context.ts", ...domain],
  "options.ts": ["config.ts", "settings.ts", "values.ts", "usage.ts", "printer.ts"],
  "check-health.ts": ["address.ts", "greeter.ts"],
  "usage.ts": ["greeter.ts"],
  "printer.ts": ["json.ts", ...domain],
  "serve.ts": [
    "address.ts",
    "config.ts",
    "lifecycle.ts",
    "server-at.ts",
    "stop.ts",
    "telemetry/log.ts",
    "telemetry/telemetry.ts",
    "tls/tls.ts",
    "grpc/server.ts",
    "http/app.ts",
    "http/server.ts",
    "admin/app.ts",
    "admin/liveness.ts",
    "admin/server.ts",
    ...domain,
  ],
  "config.ts": ["settings.ts", "greeter.ts"],
  "settings.ts": ["values.ts", "greeter.ts"],
  "values.ts": ["address.ts", "greeter.ts"],
  "json.ts": ["gen/", ...domain],
  "grpc/": ["grpc/", "gen/", "tls/tls.ts", ...domain],
  "http/": ["http/", "json.ts", "tls/tls.ts", ...domain],
  "admin/": ["admin/", ...domain],
  "telemetry/": ["telemetry/", "values.ts", ...domain],
  "tls/": ["tls/", "greeter.ts"],
  "gen/": ["gen/"],
  "greeter.ts": ["build-info.ts"],
  "build-info.ts": ["greeter.ts"],
  "readiness.ts": [],
  "admission.ts": ["greeter.ts"],
  "address.ts": [],
  "lifecycle.ts": [],
  "server-at.ts": ["address.ts", "lifecycle.ts"],
  "stop.ts": ["lifecycle.ts"],
  "signals.ts": [],
};

/** These know what telemetry is, and are given one. */
const knowTelemetryTypes = new Set(["grpc/", "http/", "admin/", "tls/"]);

const matches = (file: string, rule: string): boolean => (rule.endsWith("/") ? file.startsWith(rule) : file === rule);

for (const [file, { files, types }] of imports) {
  test(`${file} imports only what it may`, (t) => {
    const rule = Object.keys(allowed).find((candidate) => matches(file, candidate));
    t.truthy(rule, "Every file has a rule");
    for (const target of files) {
      if (knowTelemetryTypes.has(rule!) && target.startsWith("telemetry/") && types.includes(target)) continue;
      t.true(
        allowed[rule!]!.some((candidate) => matches(target, candidate)),
        `${file} may not import ${target}`,
      );
    }
  });
}

test("the domain knows no package, and only the build information anything of Node", (t) => {
  for (const file of domain) {
    const { packages } = imports.get(file)!;
    const known = file === "build-info.ts" ? packages.filter((name) => !name.startsWith("node:")) : packages;
    t.deepEqual(known, [], file);
  }
});

test("no file is long", (t) => {
  for (const file of imports.keys()) {
    // Generated, or a table that is read row by row.
    if (file.startsWith("gen/") || file === "settings.ts") continue;
    const lines = readFileSync(join(src, file), "utf8").split("\n").length;
    t.true(lines <= 160, `${file} has ${lines} lines: is it two files?`);
  }
});
