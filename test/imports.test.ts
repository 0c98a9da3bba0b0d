import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import test from "ava";

const src = join(import.meta.dirname, "../src");

/** Every import of a file in src by another one: lazy ones, and those of types, too. */
const imports = readdirSync(src, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .flatMap((file) => {
    const specifiers = readFileSync(join(src, file), "utf8").matchAll(/(?:from |import |import\()"(\.[^"]+)"/g);
    return [...specifiers].map(([, specifier = ""]) => ({
      from: file,
      to: relative(src, resolve(src, dirname(file), specifier)),
    }));
  });

const transports = ["grpc", "http", "admin"].map((name) => `platform/${name}/`);

test("transports do not import each other, and telemetry imports no transport", (t) => {
  for (const { from, to } of imports) {
    const target = transports.find((folder) => to.startsWith(folder));
    if (target === undefined || from.startsWith(target)) continue;
    t.false(
      [...transports, "platform/telemetry/"].some((folder) => from.startsWith(folder)),
      `${from} imports ${to}`,
    );
  }
});
