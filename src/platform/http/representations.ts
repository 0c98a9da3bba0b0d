import type { Context } from "koa";

/** One response in each of its forms. Only the negotiated one is rendered. */
export type Representations = Record<"html" | "json" | "text", () => string>;

/**
 * Responds in the form that the request's Accept header prefers (https://www.rfc-editor.org/rfc/rfc9110#name-accept), and in HTML if
 * it names none of them.
 * @param jsonType media type of the JSON form
 */
export function respond(context: Context, representations: Representations, jsonType = types.json): void {
  const form = preferredForm(context, jsonType);
  context.vary("Accept");
  context.set("Content-Type", form === "json" ? jsonType : types[form]);
  context.body = representations[form]();
}

const types: Readonly<Record<keyof Representations, string>> = {
  html: "text/html; charset=utf-8",
  json: "application/json; charset=utf-8",
  text: "text/plain; charset=utf-8",
};

/** Negotiated forms by Accept header. Few headers are in use, and negotiation is expensive. */
const negotiated = new Map<string, keyof Representations>();

/** Maximum number of memoized headers. Beyond it the memo starts anew, so that a client cannot fill the memory. */
const MAX_NEGOTIATED = 100;

function preferredForm(context: Context, jsonType: string): keyof Representations {
  const key = `${jsonType} ${context.req.headers.accept}`;
  const found = negotiated.get(key);
  if (found !== undefined) return found;
  const [ownType = ""] = jsonType.split(";");
  const type = context.accepts("text/html", "application/json", "text/plain", ownType) || "text/html";
  const form = type === "text/html" ? "html" : type === "text/plain" ? "text" : "json";
  if (negotiated.size >= MAX_NEGOTIATED) negotiated.clear();
  if (key.length <= 256) negotiated.set(key, form);
  return form;
}
