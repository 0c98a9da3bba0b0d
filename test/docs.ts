import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

export const root = join(import.meta.dirname, "..");

/** A document of the repository. */
export interface Document {
  /** Path from the root. */
  file: string;
  text: string;
}

/** Reads a document. */
export function read(file: string): Document {
  return { file, text: readFileSync(join(root, file), "utf8") };
}

const docs = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));

/** The README and every page of docs/. */
export const pages = [read("README.md"), ...docs.toSorted().map((name) => read(`docs/${name}`))];

/** Text of all pages. */
export const documentation = pages.map(({ text }) => text).join("\n");

/** Returns the code blocks of one language, on every page or in one document. */
export function blocks(language: string, documents: readonly Document[] = pages): string[] {
  const pattern = new RegExp(`^ *\`\`\`${language}\n([^]*?)^ *\`\`\``, "gm");
  return documents.flatMap(({ text }) => [...text.matchAll(pattern)].map(([, block = ""]) => block));
}

/** A console block: commands after `$ `, each with the text that it prints. `…` in that text stands for anything. */
export interface Example {
  title: string;
  commands: string[];
  printed: string[];
}

/** Returns every console block of the pages. */
export function examples(): Example[] {
  return pages.flatMap((page) =>
    blocks("console", [page]).map((block) => {
      const steps = block
        .split(/^\$ /m)
        .slice(1)
        .map((step) => /^(.*)\n([^]*)$/.exec(step)!);
      const commands = steps.map(([, command = ""]) => command);
      return {
        title: `${page.file}: ${commands.join("; ")}`,
        commands,
        printed: steps.map(([, , text = ""]) => text.trimEnd()),
      };
    }),
  );
}

/** Returns the programs that an example runs. */
export function programsOf({ commands }: Example): string[] {
  return commands.map((command) => command.split(" ", 1)[0]!);
}

/** Where a service listens, in place of the addresses of the examples. */
export interface Addresses {
  http: string;
  grpc: string;
  admin: string;
}

/**
 * Runs the commands of an example in one shell.
 * @returns the text that each prints, on both outputs
 */
export async function run(example: Example, addresses: Addresses, path = process.env["PATH"]): Promise<string[]> {
  const steps = example.commands.map((command) => {
    const here = command
      .replace("http://localhost:8080", addresses.http)
      .replace("http://localhost:9090", addresses.admin)
      .replace("localhost:50051", addresses.grpc)
      .replace(/^curl /, "curl --silent ")
      .replace(/(?<=greeter -- call .*)(?=$| \|)/, ` --target ${addresses.grpc}`)
      .replace(/(?<=greeter -- check-health)/, ` --admin-addr ${addresses.admin.replace("http://", "")}`);
    // Keeps the exit code for the next command.
    return `${here}\ncode=$?; printf '\\0'; (exit $code)`;
  });
  const script = `exec 2>&1\n${steps.join("\n")}\ntrue`;
  const { stdout } = await promisify(execFile)("sh", ["-c", script], {
    cwd: root,
    env: { ...process.env, PATH: path },
    maxBuffer: 2 ** 24,
  });
  return stdout
    .split("\0")
    .slice(0, -1)
    .map((text) => text.trimEnd());
}

/** Returns the pattern of a text in which `…` stands for anything. */
export function patternOf(text: string): RegExp {
  return new RegExp(
    `^${text
      .split("…")
      .map((part) => RegExp.escape(part))
      .join("[^]*?")}$`,
  );
}
