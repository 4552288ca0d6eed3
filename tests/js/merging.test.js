import { difference } from "/static/reporting/difference.js";
import { differing, joinable, joined, merged, same } from "/static/reporting/merging.js";
import { equal, ok, test } from "./harness.js";

const BASE = { findings: "Liver normal.", impression: "", size: null, side: "left" };

test("changes of different fields both stay", () => {
  const { content, theirs, clashes } = merged(BASE, { ...BASE, findings: "Liver large." }, { ...BASE, size: 12 });
  equal([content.findings, content.size, theirs, clashes], ["Liver large.", 12, ["size"], []]);
});

test("the same field changed by both is a clash and keeps mine until someone decides", () => {
  const { content, theirs, clashes } = merged(BASE, { ...BASE, side: "right" }, { ...BASE, side: "both" });
  equal([content.side, theirs, clashes], ["right", [], [{ field: "side", base: "left", mine: "right", theirs: "both" }]]);
});

test("the same change by both is none", () => {
  equal(merged(BASE, { ...BASE, side: "right" }, { ...BASE, side: "right" }).clashes, []);
});

test("a field that the other side emptied is emptied, unless I wrote in it", () => {
  equal(merged(BASE, BASE, { ...BASE, findings: "" }).content.findings, "");
  equal(merged(BASE, { ...BASE, findings: "x" }, { ...BASE, findings: "" }).clashes.length, 1);
});

test("nothing, null and an empty text are the same to a reader", () => {
  ok(same(undefined, "") && same(null, "") && same([], undefined) && same(false, null));
  ok(!same(0, "") && !same("0", 0) && !same(["a"], []));
  equal(differing({ a: "", b: 1 }, { b: 2, c: null }), ["b"]);
});

test("two texts can stand one after the other, a number cannot", () => {
  ok(joinable({ mine: "a", theirs: "b" }) && !joinable({ mine: 1, theirs: 2 }) && !joinable({ mine: " ", theirs: "b" }));
  equal(joined({ mine: "a\n", theirs: "\nb" }), "a\nb");
});

test("a difference names the words that went and those that came, and loses none", () => {
  const [from, to] = ["Mass of 12.3 mm in the left kidney.", "Mass of 14 mm in the right kidney, new."];
  const found = difference(from, to);
  equal(found.filter(({ kind }) => kind !== "new").map(({ text }) => text).join(""), from);
  equal(found.filter(({ kind }) => kind !== "gone").map(({ text }) => text).join(""), to);
  ok(found.some(({ kind, text }) => kind === "gone" && text === "12.3") && found.some(({ kind, text }) => kind === "new" && text === "right"));
  equal(difference("a", "a"), [{ kind: "same", text: "a" }]);
  equal(difference("", "a b"), [{ kind: "new", text: "a b" }]);
});
