import test from "ava";
import { checkText, createGreeter, DEFAULT_NAME, InvalidArgumentError, quote } from "../../src/greeter/greeter.ts";
import { hostileNames } from "../hostile-names.ts";

const buildInfo = { runtime: "node", main: { path: "m", version: "1", sum: "" }, dependencies: [], settings: {} };
const greeter = createGreeter({ greeting: "Hello", buildInfo: async () => buildInfo });

test("greets the default name when none is given", async (t) => {
  t.is(await greeter.greet(), "Hello, Linky 🐙!");
  t.is(DEFAULT_NAME, "Linky 🐙");
});

test("greets a name", async (t) => {
  t.is(await greeter.greet("Bob"), "Hello, Bob!");
});

test("greets with the operator's greeting", async (t) => {
  t.is(await createGreeter({ greeting: "Hi", buildInfo: async () => buildInfo }).greet("Bob"), "Hi, Bob!");
});

test("rejects a bad greeting before it greets anybody", (t) => {
  t.throws(() => createGreeter({ greeting: "", buildInfo: async () => buildInfo }), {
    instanceOf: InvalidArgumentError,
    message: 'Invalid greeting "": expected 1 to 256 characters',
  });
});

test("tells what is running", async (t) => {
  t.is(await greeter.version(), buildInfo);
});

for (const { title, name, valid } of hostileNames) {
  test(`${valid ? "greets" : "rejects"} a name with ${title}`, async (t) => {
    if (valid) t.is(await greeter.greet(name), `Hello, ${name}!`);
    else await t.throwsAsync(greeter.greet(name), { instanceOf: InvalidArgumentError });
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
  test(`says what is wrong with ${quote(name)}`, (t) => {
    t.throws(() => checkText("name", name), { instanceOf: InvalidArgumentError, message });
  });
}

test("quotes at most 64 code points, and never half a surrogate pair", (t) => {
  t.is(quote("🐙".repeat(64)), `"${"🐙".repeat(64)}"`);
  t.is(quote("🐙".repeat(65)), `"${"🐙".repeat(64)}"…`);
  t.true(quote(`a${"🐙".repeat(500)}`).isWellFormed());
});

test("quotes nothing that could break a line, hide, or turn the reading direction around", (t) => {
  t.is(quote('a\n"b\\'), String.raw`"a\n\"b\\"`);
  t.is(quote("\u0085\u007F\u202E\u2028\uFEFF\u{E0001}"), String.raw`"\u0085\u007f\u202e\u2028\ufeff\udb40\udc01"`);
});
