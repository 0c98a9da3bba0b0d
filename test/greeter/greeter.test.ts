import test from "ava";
import { checkText, createGreeter, DEFAULT_NAME } from "../../src/greeter/greeter.ts";
import { createContext } from "../../src/platform/context.ts";
import { ServiceError } from "../../src/platform/errors.ts";
import { quote } from "../../src/platform/text.ts";
import { hostileNames } from "../hostile-names.ts";
import { buildInfo } from "../sample-build-info.ts";

const context = createContext();
const greeter = createGreeter("Hello", async () => buildInfo);

test("greets the default name if there is none", async (t) => {
  t.is(await greeter.greet(undefined, context), "Hello, Linky 🐙!");
  t.is(DEFAULT_NAME, "Linky 🐙");
});

test("greets a name", async (t) => {
  t.is(await greeter.greet("Bob", context), "Hello, Bob!");
});

test("greets with the operator's greeting", async (t) => {
  t.is(await createGreeter("Hi", async () => buildInfo).greet("Bob", context), "Hi, Bob!");
});

test("rejects an invalid greeting when it is created", (t) => {
  t.throws(() => createGreeter("", async () => buildInfo), {
    instanceOf: ServiceError,
    code: "INVALID_ARGUMENT",
    message: 'Invalid greeting "": expected 1 to 256 characters',
  });
});

test("returns the build information", async (t) => {
  t.is(await greeter.version(context), buildInfo);
});

for (const { title, name, valid } of hostileNames) {
  test(`${valid ? "greets" : "rejects"} a name with ${title}`, async (t) => {
    if (valid) t.is(await greeter.greet(name, context), `Hello, ${name}!`);
    else await t.throwsAsync(greeter.greet(name, context), { instanceOf: ServiceError, code: "INVALID_ARGUMENT" });
  });
}

const rejections = [
  { name: "", message: 'Invalid name "": expected 1 to 256 characters' },
  { name: "a\u0007b", message: 'Invalid name "a\\u0007b": expected no control character, got U+0007' },
  { name: "a\uD800", message: 'Invalid name "a\\ud800": expected well-formed Unicode, got an unpaired surrogate' },
  { name: "\uDC00a", message: 'Invalid name "\\udc00a": expected well-formed Unicode, got an unpaired surrogate' },
  { name: "é".repeat(257), message: `Invalid name "${"é".repeat(64)}"…: expected at most 256 characters, got 257` },
];
for (const { name, message } of rejections) {
  test(`names the problem of ${quote(name)}`, (t) => {
    t.throws(() => checkText("name", name), { instanceOf: ServiceError, code: "INVALID_ARGUMENT", message });
  });
}
