import { contentSecurityPolicy } from "./pages.ts";

/** The headers of every answer, after the OWASP HTTP headers cheat sheet. */
export const headers: Record<string, string> = {
  "Content-Security-Policy": contentSecurityPolicy,
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  // What a greeter answers tells which of its versions answered: a cached answer would tell of another.
  "Cache-Control": "no-store",
};
