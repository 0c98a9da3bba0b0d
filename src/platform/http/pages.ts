import { createHash } from "node:crypto";
import { escape } from "he";

const style = `
:root { color-scheme: light dark; --ink: light-dark(#1d1b2e, #f1eefc); --soft: light-dark(#625d7c, #a8a2c4);
  --paper: light-dark(#fbfaff, #14121f); --line: light-dark(#dcd7ee, #37324e); --accent: light-dark(#5a3fd6, #b3a1ff); }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100svh; display: flex; flex-direction: column; background: var(--paper); color: var(--ink);
  font: 1.0625rem/1.5 system-ui, sans-serif; }
main { flex: 1; width: 100%; max-width: 58rem; margin: auto; padding: 2rem 1.5rem; display: flex; flex-direction: column;
  justify-content: center; gap: 2.5rem; }
h1 { margin: 0; font-size: clamp(2.5rem, 9vw, 6rem); line-height: 1.05; letter-spacing: -0.03em; text-wrap: balance;
  overflow-wrap: anywhere; }
h1.small { font-size: clamp(1.75rem, 5vw, 3rem); }
p { margin: 0; overflow-wrap: anywhere; } small { color: var(--soft); } a { color: var(--accent); }
form { display: flex; flex-wrap: wrap; gap: 0.75rem; align-items: end; }
label { flex: 1 1 16rem; max-width: 26rem; color: var(--soft); font-size: 0.9375rem; }
input { display: block; width: 100%; margin-top: 0.375rem; }
input, button { font: inherit; height: 3rem; padding: 0 0.875rem; border-radius: 0.625rem; border: 1px solid var(--line);
  background: transparent; color: var(--ink); }
button { border-color: var(--accent); background: var(--accent); color: var(--paper); cursor: pointer; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
pre { margin: 0; padding: 1.25rem; overflow-x: auto; border: 1px solid var(--line); border-radius: 0.75rem;
  font: 0.8125rem/1.6 ui-monospace, monospace; tab-size: 26; }
footer { padding: 1.25rem 1.5rem; text-align: center; color: var(--soft); font-size: 0.9375rem; }
`;

/**
 * Content-Security-Policy (https://www.w3.org/TR/CSP3/) of the pages: it allows their style sheet by its hash, their icon, forms to this
 * origin, and nothing else.
 */
export const contentSecurityPolicy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'`,
  "img-src data:",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Renders the build information, which is plain text. */
export function versionPage(buildInfo: string): string {
  const main = `<h1 class="small">Build information</h1>\n<pre>${escape(buildInfo)}</pre>`;
  return page({ title: "Version", main });
}

/** Renders an error: the reason phrase of its status, and the text for the caller. */
export function errorPage(title: string, detail: string, requestId: string): string {
  const reference = `<p><small>Request id: ${escape(requestId)}</small></p>`;
  const main = `<h1 class="small">${escape(title)}</h1>\n<p>${escape(detail)}</p>\n${reference}`;
  return page({ title, main });
}

/** Parts of a page. The icon is an emoji for the browser's tab. */
type PageParts = Record<"title" | "main", string> & Partial<Record<"footer" | "icon", string>>;

/** Renders a page in the frame that all pages share. The main part and the footer are HTML. */
export function page({ title, main, footer = '<a href="/">Home</a>', icon }: PageParts): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
<link rel="icon" href="${iconUrl(icon)}">
<style>${style}</style>
</head>
<body>
<main>
${main}
</main>
<footer>${footer}</footer>
</body>
</html>
`;
}

/** An empty icon keeps browsers from asking for /favicon.ico. */
function iconUrl(emoji: string | undefined): string {
  if (emoji === undefined) return "data:,";
  const text = `<text y=".9em" font-size="90">${emoji}</text>`;
  return `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">${text}</svg>`)}`;
}
