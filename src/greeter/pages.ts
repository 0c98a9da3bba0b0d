import { escape } from "he";
import { page } from "../platform/http/pages.ts";

/**
 * Renders a greeting, with a form for another name.
 * @param message the whole greeting
 * @param name the name at its end, which is isolated so that a right-to-left name cannot reorder the text around it
 */
export function greetingPage(message: string, name: string): string {
  const end = `${name}!`;
  const heading = message.endsWith(end)
    ? `${escape(message.slice(0, -end.length))}<bdi>${escape(name)}</bdi>!`
    : escape(message);
  return page({
    title: message,
    icon: "🐙",
    main: `<h1>${heading}</h1>
<form action="/"><label>Greet somebody else<input name="name" autocomplete="off" autocapitalize="words"></label><button>Greet</button></form>`,
    footer: '<a href="/version">Build information</a>',
  });
}
