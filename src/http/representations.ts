import type { Context } from "koa";

/** One answer in each form that it can take; only the one that was asked for is made. */
export interface Representations {
  html(): string;
  json(): string;
  text(): string;
}

/**
 * Answers in the form that the request's Accept prefers (https://www.rfc-editor.org/rfc/rfc9110#name-accept), and in HTML where
 * it names none of them.
 * @param jsonType the media type of the JSON form
 */
export function respond(context: Context, representations: Representations, jsonType = "application/json"): void {
  const type = context.accepts("text/html", "application/json", "text/plain", jsonType) || "text/html";
  const form = type === "text/html" ? "html" : type === "text/plain" ? "text" : "json";
  context.vary("Accept");
  context.type = form === "json" ? jsonType : form;
  context.body = representations[form]();
}
