import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import test from "ava";

const root = join(import.meta.dirname, "..");

const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => ({ file, text: readFileSync(join(root, "src", file), "utf8") }));

/** Every import of a file in src by another one, including types and lazy ones. */
const imports = sources.flatMap(({ file: from, text }) =>
  [...text.matchAll(/(?:from |import |import\()"(\.[^"]+)"/g)].map(([, specifier = ""]) => ({
    from,
    to: relative(".", resolve(dirname(from), specifier)),
  })),
);

const platformOf = (file: string): boolean => file.startsWith("platform/");
/** Every other folder is a service. */
const folders = new Set(sources.filter(({ file }) => file.includes("/")).map(({ file }) => file.split("/")[0]!));
const services = [...folders.difference(new Set(["platform", "gen"]))];
const serviceOf = (file: string): string | undefined =>
  services.find((name) => file.startsWith(`${name}/`) || file.startsWith(`gen/${name}/`));
const transportOf = (file: string): string | undefined => /^platform\/(grpc|http|admin)\//.exec(file)?.[1];

/** The modules of the platform that a service builds on. The others may change without notice. */
const publicModules =
  /^platform\/((build-info|context|errors|text)|cli\/.*|config\/(config|parsers|setting)|grpc\/(client|service)|http\/(pages|representations|request-observer))\.ts$/;

test("the platform imports nothing of a service, and holds no word of greetings", (t) => {
  const crossing = imports.filter(({ from, to }) => platformOf(from) && serviceOf(to) !== undefined);
  t.deepEqual(crossing, []);
  const named = sources.filter(({ file, text }) => platformOf(file) && /greet|linky/i.test(text));
  for (const { file } of named) t.is(file, "platform/identity.ts");
});

test("a service imports public modules of the platform, and its own generated code", (t) => {
  const ofServices = imports.filter(({ from }) => serviceOf(from) !== undefined && !from.startsWith("gen/"));
  const crossing = ofServices.filter(({ from, to }) => serviceOf(to) !== serviceOf(from) && !publicModules.test(to));
  t.deepEqual(crossing, []);
});

test("transports do not import each other, and telemetry imports no transport", (t) => {
  const crossing = imports.filter(({ from, to }) => {
    const importer = from.startsWith("platform/telemetry/") ? "telemetry" : transportOf(from);
    return importer !== undefined && transportOf(to) !== undefined && transportOf(to) !== importer;
  });
  t.deepEqual(crossing, []);
});

test("only serve.ts and cli.ts import both the platform and a service", (t) => {
  const outside = imports.filter(({ from }) => !platformOf(from) && serviceOf(from) === undefined);
  const both = Map.groupBy(outside, ({ from }) => from)
    .entries()
    .filter(([, all]) => all.some(({ to }) => platformOf(to)) && all.some(({ to }) => serviceOf(to) !== undefined));
  t.deepEqual([...both].map(([file]) => file).toSorted(), ["cli.ts", "serve.ts"]);
});
