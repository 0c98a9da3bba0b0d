import { settingsTable } from "../platform/config/setting.ts";
import { checkText, DEFAULT_GREETING } from "./greeter.ts";

const greeting = Object.assign((text: string, name: string) => checkText(name, text), { placeholder: "<text>" });

/** Settings of the greeting. */
export const greeterSettings = settingsTable({
  greeting: [DEFAULT_GREETING, greeting, "the word before the name", { flags: "-g, --greeting <text>" }],
});
