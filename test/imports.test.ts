import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import test from "ava";

const src = join(import.meta.dirname, "../src");

/** Every file of src, with the files of src that it imports, lazily or for a type. */
const imports = new Map(
  readdirSync(src, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => {
      const text = readFileSync(join(src, file), "utf8");
      const specifiers = [...text.matchAll(/(?:from |import\()"(\.[^"]+)"/g)].map((match) => match[1]!);
      return [file, specifiers.map((specifier) => relative(src, resolve(src, dirname(file), specifier)))];
    }),
);

const domain = ["greeter.ts", "build-info.ts"];

/** Who may import whom. A folder stands for every file in it. */
const allowed: Record<string, string[]> = {
  "main.ts": ["cli.ts"],
  "cli.ts": ["config.ts", "serve.ts", "json.ts", "grpc/client.ts", ...domain],
  "serve.ts": [
    "address.ts",
    "config.ts",
    "lifecycle.ts",
    "telemetry.ts",
    "grpc/server.ts",
    "http/app.ts",
    "http/server.ts",
    ...domain,
  ],
  "config.ts": ["address.ts", "greeter.ts"],
  "json.ts": ["gen/", ...domain],
  "grpc/": ["grpc/", "gen/", ...domain],
  "http/": ["http/", "json.ts", ...domain],
  "gen/": ["gen/"],
  "greeter.ts": ["build-info.ts"],
  "build-info.ts": [],
  "address.ts": [],
  "lifecycle.ts": [],
  "telemetry.ts": [],
};

const matches = (file: string, rule: string): boolean => (rule.endsWith("/") ? file.startsWith(rule) : file === rule);

for (const [file, imported] of imports) {
  test(`${file} imports only what it may`, (t) => {
    const rule = Object.keys(allowed).find((candidate) => matches(file, candidate));
    t.truthy(rule, "Every file has a rule");
    for (const target of imported) {
      t.true(
        allowed[rule!]!.some((candidate) => matches(target, candidate)),
        `${file} may not import ${target}`,
      );
    }
  });
}

test("no file is long", (t) => {
  for (const file of imports.keys()) {
    if (file.startsWith("gen/")) continue;
    const lines = readFileSync(join(src, file), "utf8").split("\n").length;
    t.true(lines <= 165, `${file} has ${lines} lines: is it two files?`);
  }
});
