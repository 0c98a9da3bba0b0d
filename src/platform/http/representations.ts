import type { Context } from "koa";
import { answer } from "./answer.ts";
import type { Answer } from "./answer.ts";

/** One answer in each form that it can take; only the one that was asked for is made. */
export interface Representations {
  html(): string;
  json(): string;
  text(): string;
}

/** Where the answer is another than a 200. */
export interface RespondOptions extends Pick<Answer, "status" | "more"> {
  /** The media type of the JSON form. */
  jsonType?: string;
}

/**
 * Answers in the form that the request's Accept prefers (https://www.rfc-editor.org/rfc/rfc9110#name-accept), and in HTML where
 * it names none of them.
 */
export function respond(
  context: Context,
  representations: Representations,
  { jsonType = "application/json; charset=utf-8", ...options }: RespondOptions = {},
): void {
  const form = preferredForm(context, jsonType);
  const type = form === "json" ? jsonType : form === "text" ? "text/plain; charset=utf-8" : "text/html; charset=utf-8";
  answer(context, { type, body: representations[form](), ...options });
}

/** What was found out for an Accept header, by the header: there are few in use, and each takes a while. */
const known = new Map<string, keyof Representations>();

/** How many are kept. Whoever sends many different ones only makes the others be found out again. */
const MAX_KNOWN = 100;

function preferredForm(context: Context, jsonType: string): keyof Representations {
  const key = `${jsonType} ${context.req.headers.accept}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  const [ownType = ""] = jsonType.split(";");
  const type = context.accepts("text/html", "application/json", "text/plain", ownType) || "text/html";
  const form = type === "text/html" ? "html" : type === "text/plain" ? "text" : "json";
  if (known.size >= MAX_KNOWN) known.clear();
  if (key.length <= 256) known.set(key, form);
  return form;
}
