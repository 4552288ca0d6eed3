import { shapeOf } from "/static/viewer/features/objects/graphics.js";
import { chosen, turned } from "/static/viewer/features/objects/segments.js";
import { overlayRows, stateRows } from "/static/viewer/features/objects/states.js";
import { grouped, itemsUnder, kindOf, made, picturesOf, placeAfter, valueOf } from "/static/viewer/features/objects/words.js";
import { equal, test } from "./harness.js";

test("objects stand by kind, what is read first before what cannot be shown", () => {
  const kinds = ["other", "seg", "ko", "sr", "new-kind", "pdf", "dose"].map((kind) => ({ kind }));
  equal(grouped(kinds).map(({ kind }) => kind), ["sr", "dose", "pdf", "ko", "seg", "other", "new-kind"]);
  equal(grouped([{ kind: "sr", superseded: true }, { kind: "other" }]).map(({ kind }) => kind), ["other", "sr"]);
  equal([kindOf("sr").label, kindOf("what is this").label], ["Structured report", "Object"]);
  equal([made({ date: "20150819", time: "112153" }), made({ date: "", time: "" })], ["2015-08-19 11:21", ""]);
});

test("a number has its unit, and one without a value its reason", () => {
  equal(valueOf({ type: "number", value: "12.5", unit: "mm" }), "12.5 mm");
  equal(valueOf({ type: "number", value: "", unit: "mm", qualifier: "Not a number" }), "Not a number");
  equal(valueOf({ type: "number", value: "", unit: "" }), "no value");
  equal(valueOf({ type: "text", value: "<b>bold</b>" }), "<b>bold</b>");
});

test("items are counted as deep as they go, and no further than needed", () => {
  const tree = { children: [{ children: [{}, {}] }, {}] };
  equal([itemsUnder(tree), itemsUnder(tree, 2), itemsUnder({})], [4, 2, 0]);
});

const LIST = ["a", "b", "c"].map((uid) => ({ sop_instance_uid: uid, frame_number: null }));

test("a selection is gone through one by one, and stops at its ends", () => {
  equal([placeAfter(LIST, { sop_instance_uid: "a", frame_number: 1 }, 1), placeAfter(LIST, { sop_instance_uid: "c", frame_number: 1 }, 1), placeAfter(LIST, { sop_instance_uid: "a" }, -1)], [1, 2, 0]);
  equal([placeAfter(LIST, { sop_instance_uid: "b" }, Infinity), placeAfter(LIST, { sop_instance_uid: "b" }, -Infinity)], [2, 0]);
});

test("from a picture outside the selection the nearest end is next", () => {
  equal([placeAfter(LIST, { sop_instance_uid: "z" }, 1), placeAfter(LIST, { sop_instance_uid: "a", frame_number: 5 }, -1)], [0, 2]);
});

test("of what a selection names, pictures that are here are gone through, each frame once", () => {
  const references = [
    { sop_instance_uid: "a", here: true, frame_number: null },
    { sop_instance_uid: "b", here: false, frame_number: null },
    { sop_instance_uid: "a", here: true, frame_number: 1 },
    { sop_instance_uid: "c", here: true, frame_number: 2, frame_numbers: [2, 5] },
  ];
  equal(picturesOf(references).map((one) => [one.sop_instance_uid, one.frame_number]), [["a", null], ["c", 2], ["c", 5]]);
  equal(picturesOf(undefined), []);
});

test("a segmentation is turned on whole, changed alone, and gone without segments", () => {
  const other = { sop_instance_uid: "1", segments: [2], opacity: 1 };
  equal(chosen([other], "2", {}), [other, { sop_instance_uid: "2", segments: "all", opacity: 0.4 }]);
  equal(chosen([other], "1", { opacity: 0.25 }), [{ ...other, opacity: 0.25 }]);
  equal(chosen([other], "1", { segments: [] }), []);
});

test("segments go off and on one by one, and all of them are all", () => {
  equal(turned("all", [1, 2, 3], 2, false), [1, 3]);
  equal(turned([1, 3], [1, 2, 3], 2, true), "all");
  equal(turned([3], [1, 2, 3], 3, false), []);
});

test("states of a series can be chosen and taken off; without any there is no choice", () => {
  const viewport = { opened: { presentation_states: [{ sop_instance_uid: "9", label: "LIVER", description: "bright" }] }, wish: { presentation_state: "9" } };
  equal(stateRows(viewport).map(({ label, checked, part }) => [label, checked, part.presentation_state]), [["As stored, without a state", false, null], ["LIVER", true, "9"]]);
  equal([stateRows({ opened: { presentation_states: [] }, wish: {} }), stateRows(undefined)], [[], []]);
});

test("overlays are those of the stack that is shown, each on its own", () => {
  const stacks = [{ stack: 0, overlays: [] }, { stack: 1, overlays: [{ group: "6000", label: "" }, { group: "6002", label: "Marks" }] }];
  const rows = overlayRows({ opened: { stacks }, wish: { stack: 1, overlays: "all" } });
  equal(rows.map(({ label, checked, part }) => [label, checked, part.overlays]), [["Overlay 6000", true, ["6002"]], ["Marks", true, ["6000"]]]);
  equal(overlayRows({ opened: { stacks }, wish: { stack: 1 } })[0].part.overlays, ["6000"]);
  equal(overlayRows({ opened: { stacks }, wish: { stack: 0 } }), []);
});

const at = (...pairs) => pairs.map(([x, y]) => ({ x, y }));

test("a circle has its centre and a point of its line, an ellipse the ends of both axes", () => {
  equal(shapeOf("circle", at([10, 10], [13, 14])).attributes, { cx: 10, cy: 10, r: 5, fill: "none" });
  const { attributes } = shapeOf("ellipse", at([0, 0], [0, 20], [-3, 10], [3, 10]), true);
  equal(attributes, { cx: 0, cy: 10, rx: 10, ry: 3, transform: "rotate(90 0 10)", fill: "currentColor" });
});

test("lines go through every point, curved ones too", () => {
  equal(shapeOf("polyline", at([0, 0], [5, 0], [5, 5])).attributes.d, "M0 0L5 0L5 5");
  const { d } = shapeOf("interpolated", at([0, 0], [6, 0], [12, 0])).attributes;
  equal(d, "M0 0C1 0 4 0 6 0C8 0 11 0 12 0");
  equal(shapeOf("text", at([0, 0])), null);
});
