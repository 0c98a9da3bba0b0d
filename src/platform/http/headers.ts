import { contentSecurityPolicy } from "./pages.ts";

/** Headers of every response, after the OWASP HTTP headers cheat sheet. A route may replace them. */
export const headers: Readonly<Record<string, string>> = {
  "Content-Security-Policy": contentSecurityPolicy,
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  // A cached response would hide which version of the service is running.
  "Cache-Control": "no-store",
};
