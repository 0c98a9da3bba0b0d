import { decodePercent } from "../platform/text.ts";

/**
 * Reads the name from a request's path: its percent-decoded text, without the slashes at both ends.
 * @param path as in the request line
 * @returns undefined if the path has no name
 * @throws {ServiceError} INVALID_ARGUMENT: the path is not percent-encoded UTF-8
 */
export function nameInPath(path: string): string | undefined {
  return trimSlashes(decodePercent("path", path)) || undefined;
}

/**
 * Reads the first `name` of a form's query string (https://url.spec.whatwg.org/#urlencoded-parsing), without the slashes at both ends.
 * @returns undefined if there is none, "" if it is empty
 * @throws {ServiceError} INVALID_ARGUMENT: it is not percent-encoded UTF-8, which URLSearchParams would replace silently
 */
export function nameInQuery(querystring: string): string | undefined {
  const parameter = querystring.split("&").find((pair) => /^name(=|$)/.test(pair));
  if (parameter === undefined) return undefined;
  return trimSlashes(decodePercent("query", parameter.slice("name=".length).replaceAll("+", " ")));
}

/** Returns the path that greets `name`; `/` for an empty one. */
export function pathOf(name: string): string {
  switch (name) {
    // The path without the slash is the build information.
    case "version":
      return "/version/";
    // Browsers remove a segment of dots, however it is encoded. With an encoded slash before it, it is no such segment.
    case ".":
    case "..":
      return `/%2F${name}`;
    default:
      return `/${encodeURIComponent(name)}`;
  }
}

/** Removes the slashes at both ends: a path cannot distinguish its own from the name's. */
function trimSlashes(text: string): string {
  // The lookbehind keeps the time linear for many slashes in the middle.
  return text.replace(/^\/+|(?<!\/)\/+$/g, "");
}
