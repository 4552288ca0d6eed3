import { expand, LONGEST, shortcutBefore } from "/static/reporting/macros.js";
import { equal, ok, test } from "/tests/harness.js";

const cases = await (await fetch("/reporting/macros.json")).json();

test("macros are written out as on the server", () => {
  ok(cases.expanded.length > 10);
  for (const [text, meant, unknown, loops] of cases.expanded) {
    equal(expand(text, cases.macros), { text: meant, unknown, loops, too_much: false }, text);
  }
});

test("macros that grow without bound are stopped", () => {
  const bomb = { m10: "lol" };
  for (let one = 0; one < 10; one += 1) bomb[`m${one}`] = `{m${one + 1}}`.repeat(10);
  const told = expand("{m0}", bomb);
  ok(told.too_much && told.text.length < 2 * LONGEST);
  const deep = Object.fromEntries(Array.from({ length: 40 }, (_, one) => [`d${String(one).padStart(2, "0")}`, `{d${String(one + 1).padStart(2, "0")}}`]));
  equal(expand("{d00}", deep).text, "{d16}");
});

test("a shortcut is found where it was typed as a word", () => {
  for (const [text, caret, shortcut] of cases.typed) equal(shortcutBefore(text, caret, cases.macros)?.shortcut ?? null, shortcut, text);
  equal(shortcutBefore("See nl", 6, cases.macros), { start: 4, end: 6, shortcut: "nl" });
  equal(shortcutBefore("See {nl}", 8, cases.macros), { start: 4, end: 8, shortcut: "nl" });
});
