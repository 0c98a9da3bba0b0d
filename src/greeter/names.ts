import { InvalidArgumentError, quote } from "./greeter.ts";

/**
 * The name that a request's path asks to greet: its percent-decoded text, slashes trimmed at both ends and kept inside.
 * @param path as it came in the request line
 * @returns undefined where the path holds no name
 * @throws {InvalidArgumentError} the path is not percent-encoded UTF-8
 */
export function nameInPath(path: string): string | undefined {
  return trimSlashes(decode("path", path)) || undefined;
}

/**
 * The first `name` of a form's query string (https://url.spec.whatwg.org/#urlencoded-parsing).
 * @returns undefined where there is none, "" where it is empty; slashes are trimmed as in a path
 * @throws {InvalidArgumentError} it is not percent-encoded UTF-8, which URLSearchParams would replace in silence
 */
export function nameInQuery(querystring: string): string | undefined {
  const parameter = querystring.split("&").find((pair) => /^name(=|$)/.test(pair));
  if (parameter === undefined) return undefined;
  return trimSlashes(decode("query", parameter.slice("name=".length).replaceAll("+", " ")));
}

/** The path that greets `name`; `/` for an empty one. */
export function pathOf(name: string): string {
  switch (name) {
    // The path without the slash is the version page.
    case "version":
      return "/version/";
    // A browser resolves a segment of dots away, however they are encoded; with a slash before them it is no such segment.
    case ".":
    case "..":
      return `/%2F${name}`;
    default:
      return `/${encodeURIComponent(name)}`;
  }
}

/** A path can't tell the slashes at a name's ends from its own. */
function trimSlashes(text: string): string {
  // Looked for from their beginning on, or many slashes in the middle would be tried one by one.
  return text.replace(/^\/+|(?<!\/)\/+$/g, "");
}

function decode(part: "path" | "query", text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new InvalidArgumentError(`Invalid ${part} ${quote(text)}: expected percent-encoded UTF-8`, { cause });
  }
}
