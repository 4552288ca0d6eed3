import { holds, parsed, shown } from "/static/reporting/showing.js";
import { equal, test } from "/tests/harness.js";

const cases = await (await fetch("/reporting/show_if.json")).json();

test("conditions are read or refused as the server does", () => {
  for (const [text, meant] of cases.written) equal(parsed(text), meant, text);
});

test("conditions hold or not as on the server", () => {
  for (const [text, value, truth] of cases.holds) equal(holds(parsed(text), { a: value }), truth, `${text}: ${JSON.stringify(value)}`);
});

test("fields are shown as the server shows them", () => {
  for (const one of cases.shown) {
    const fields = Object.entries(one.fields).map(([id, text]) => ({ id, show_if: text ? parsed(text) : null }));
    const schema = { sections: [{ fields: fields.slice(0, 1) }, { fields: fields.slice(1) }] };
    equal([...shown(schema, one.content)].sort(), one.shown, one.what);
  }
});

test("the table of conditions is not empty", () => {
  equal([cases.written.length > 20, cases.holds.length > 50, cases.shown.length > 5], [true, true, true]);
});
