import { aligned } from "/static/viewer/features/hanging/align.js";
import { patternOf, stageOf } from "/static/viewer/features/hanging/capture.js";
import { counterpart } from "/static/viewer/features/hanging/compare.js";
import { pagesOf } from "/static/viewer/features/hanging/stages.js";
import { apart, standing } from "/static/viewer/ago.js";
import { Opening } from "/static/viewer/opening.js";
import { studyMark } from "/static/viewer/overlay.js";
import { priorText, tilesBeside } from "/static/viewer/thumbnails.js";
import { equal, near, ok, test } from "./harness.js";

// --- how long ago

test("the age of a prior is said in the largest unit that says enough", () => {
  const before = (date) => apart(date, "20260918");
  equal(["20260917", "20260905", "20260904", "20260718", "20260719", "20260118", "20240919", "20240918", "20200101"].map(before), [
    "1 day before", "13 days before", "2 weeks before", "2 months before", "8 weeks before", "8 months before", "23 months before", "2 years before", "6 years before",
  ]);
  equal([before("20260919"), before("20270918"), before("20260918")], ["1 day later", "12 months later", "the same day"]);
  equal([before(""), before("2026"), before("20261341"), apart("20260101", null)], ["", "", "", ""]);
});

test("a study is a prior only where it is known to be earlier", () => {
  const current = { study_instance_uid: "1", date: "20260918", time: "101500" };
  const other = (date, time = "") => standing({ study_instance_uid: "2", date, time }, current);
  equal([other("20260917"), other("20260918", "0900"), other("20260918", "1100"), other("20270101"), other("")], ["prior", "prior", "later", "later", "other"]);
  equal([standing(current, current), standing(undefined, current)], ["current", "current"]);
});

test("a picture of another study is marked with a word and its date, that of this study with nothing", () => {
  const current = { study_instance_uid: "1", date: "20260918", time: "" };
  const mark = (date) => studyMark({ study_instance_uid: "2", date, time: "" }, current);
  equal(mark("20260116"), { kind: "prior", text: "PRIOR 2026-01-16", ago: "8 months before" });
  equal(mark("20270101").text, "LATER 2027-01-01");
  equal(mark("").text, "OTHER STUDY no date");
  equal(studyMark(current, current).text, "");
});

test("a prior in the strip says when, how long ago and what, and its tiles know their study", () => {
  const prior = { date: "20260116", time: "0900", modalities: ["CT"], description: "CT chest" };
  equal(priorText(prior, { date: "20260918" }), { date: "2026-01-16", ago: "8 months before", title: "CT chest" });
  equal(priorText({ ...prior, description: "Chest" }, { date: "" }).title, "CT Chest");
  const study = { study_instance_uid: "2", series: [{ series_instance_uid: "2.1", stacks: [{ stack: 0 }, { stack: 1 }] }] };
  ok(tilesBeside(study).every((tile) => tile.study === study));
});

// --- pictures that meet

const pane = [800, 600];
const picture = (more = {}) => ({ pane, rows: 3000, columns: 2000, spacing: [0.1, 0.1], rotation: 0, align: "right", ...more });

/** Where the picture's left and right edges lie, as fractions of the pane: worked out from zoom and pan alone. */
function edges({ rows, columns, rotation = 0 }, { zoom, pan }) {
  const [tall, wide] = rotation % 180 ? [columns, rows] : [rows, columns];
  const half = (wide * Math.min(pane[0] / tall, pane[1] / wide) * zoom) / 2 / pane[1];
  return [0.5 + pan[0] - half, 0.5 + pan[0] + half];
}

test("chest walls lie at the edges where they meet", () => {
  const [right, left] = aligned([picture(), picture({ align: "left" })]);
  near(edges(picture(), right)[1], 1, 1e-4);
  near(edges(picture(), left)[0], 0, 1e-4);
  equal([right.zoom, left.zoom], [1, 1]);
});

test("pictures of unlike size are shown at one scale, and still meet", () => {
  const small = picture({ rows: 2400, columns: 1800, spacing: [0.1, 0.1], align: "left" });
  const [large, other] = aligned([picture(), small]);
  const perMillimetre = ({ rows, columns, spacing }, { zoom }) => (Math.min(pane[0] / rows, pane[1] / columns) * zoom) / spacing[1];
  near(perMillimetre(picture(), large), perMillimetre(small, other), 1e-5);
  near(edges(small, other)[0], 0, 1e-4);
});

test("without spacing each fits, and one that is turned lies at its edge too", () => {
  const turned = picture({ rotation: 90, spacing: null });
  const [look] = aligned([turned]);
  equal(look.zoom, 1);
  near(edges(turned, look)[1], 1, 1e-4);
  equal(aligned([picture({ align: "" })])[0].pan, [0, 0]);
});

// --- stages

const slot = (series, role = "current") => ({ series_instance_uid: series, stack: 0, role, view: {} });

test("on a narrow screen every viewport is a page, and none comes twice", () => {
  const stages = [
    { name: "Both", layout: "1x2", viewports: [slot("a"), slot("b", "prior")], missing: [] },
    { name: "One", layout: "1x1", viewports: [slot("a")], missing: [] },
    { name: "Four", layout: "2x2", viewports: [slot("c"), null, null, null], missing: ["viewport 2: none"] },
  ];
  equal(pagesOf(stages, 1400), stages);
  const pages = pagesOf(stages, 390);
  equal(pages.map(({ name, layout }) => [name, layout]), [["Both, 1 of 2", "1x1"], ["Both, 2 of 2", "1x1"], ["Four", "1x1"]]);
});

test("the counterpart of one image is found by its name, of a stack by its number", () => {
  const known = [
    { series_instance_uid: "s", stack: 0, sop_instance_uid: "i1", prior: "first" },
    { series_instance_uid: "s", stack: 0, sop_instance_uid: "i2", prior: "second" },
    { series_instance_uid: "s", stack: 1, sop_instance_uid: "", prior: "other stack" },
  ];
  const source = (stack) => ({ series: { series_instance_uid: "s" }, stack: { stack } });
  equal([counterpart(known, source(0), { sop_instance_uid: "i2" }), counterpart(known, source(1), {}), counterpart(known, source(2), {})], ["second", "other stack", null]);
});

// --- captured from the screen

const series = { series_instance_uid: "1", modality: "CT", description: "Axial 1.25 mm, portal venous" };
const stack = { stack: 0, plane: "axial", images: [] };
const shown = (view = {}, more = {}) => ({ source: { series, stack, ...more }, view: { plane: "acquired", projection: "slice", zoom: 1, pan: [0, 0], rotation: 0, ...view }, window: false });

test("what is on the screen becomes a stage that names kinds of images, not UIDs", () => {
  const stage = stageOf("First", "1x2", [shown({ window_center: 40, window_width: 400 }), null], []);
  equal(stage, { name: "First", layout: "1x2", viewports: [{ series: { modality: ["CT"], plane: ["axial"], description: ["axial portal venous"] } }, null] });
});

test("a window that the reader chose, turns, planes and zoom are kept", () => {
  const window = { ...shown({ window_center: -600, window_width: 1500, voi_lut_function: "LINEAR", rotation: 90, plane: "coronal", projection: "mip", slab_thickness: 8, zoom: 1.5, pan: [0.2, 0] }), window: true };
  equal(stageOf("A", "1x1", [window], []).viewports[0].view, { window_center: -600, window_width: 1500, rotation: 90, plane: "coronal", projection: "mip", slab_thickness: 8, zoom: 1.5, pan: [0.2, 0] });
});

test("the same images in another way refer to the viewport that shows them first", () => {
  const stage = stageOf("A", "1x2", [shown(), shown({ plane: "sagittal" })], []);
  equal(stage.viewports[1], { same_as: 1, view: { plane: "sagittal" } });
});

test("a prior is kept as prior 1, 2, ... and as like the current images", () => {
  const other = { series: { ...series, series_instance_uid: "2" }, study: { study_instance_uid: "p2" } };
  const stage = stageOf("A", "1x2", [shown(), shown({}, other)], ["p1", "p2"]);
  equal([stage.viewports[1].study, stage.viewports[1].like], ["prior 2", 1]);
});

test("a single image is kept by view and side", () => {
  const images = [{ sop_instance_uid: "i1", view_position: "CC", laterality: "R" }, { sop_instance_uid: "i2", view_position: "MLO", laterality: "L" }];
  const breast = { series: { series_instance_uid: "3", modality: "MG", description: "Screening" }, stack: { stack: 0, plane: "", images } };
  const stage = stageOf("A", "1x2", [shown({ sop_instance_uid: "i2" }, breast), shown({ sop_instance_uid: "i1" }, breast)], []);
  equal(stage.viewports.map((one) => one.series), [
    { modality: ["MG"], view_position: ["MLO"], laterality: ["L"] },
    { modality: ["MG"], view_position: ["CC"], laterality: ["R"] },
  ]);
  equal(patternOf("t2_tse 3.0 tra 512"), "t2 tse tra");
});

// --- whose turn it is

const breath = () => new Promise((done) => setTimeout(done));

test("the first viewport is opened alone, then a few at a time, never all at once", async () => {
  const opening = new Opening();
  const awake = [];
  const panes = Array.from({ length: 16 }, (_, index) => ({ wake: () => awake.push(index) }));
  for (const one of panes) opening.add(one);
  await breath();
  equal(awake, [0]);
  opening.done(panes[0]);
  await breath();
  equal(awake, [0, 1, 2, 3]);
  opening.done(panes[2]);
  await breath();
  equal(awake, [0, 1, 2, 3, 4]);
  opening.done(panes[9]);
  for (const index of [1, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15]) {
    opening.done(panes[index]);
    await breath();
  }
  equal(awake.includes(9), false, "one that is not wanted any more is not opened");
});

test("what is put up and replaced in the same breath is opened once", async () => {
  const opening = new Opening();
  const awake = [];
  const panes = Array.from({ length: 4 }, (_, index) => ({ wake: () => awake.push(index) }));
  for (const one of panes) opening.add(one);
  for (const one of panes) {
    opening.done(one);
    opening.add(one);
  }
  await breath();
  equal(awake, [0]);
});

test("a prior is like the image of the same view and side, not like the first", () => {
  const images = ["R", "L"].map((laterality) => ({ sop_instance_uid: laterality, view_position: "CC", laterality }));
  const breast = (study) => ({ series: { series_instance_uid: study ? "4" : "3", modality: "MG" }, stack: { stack: 0, images }, ...(study ? { study } : {}) });
  const panes = ["R", "L", "R", "L"].map((side, index) => ({ source: breast(index > 1 ? { study_instance_uid: "p1" } : null), view: { sop_instance_uid: side }, window: false }));
  equal(stageOf("A", "2x2", panes, ["p1"]).viewports.map(({ like }) => like ?? 0), [0, 0, 1, 2]);
});

test("the window of a PET is kept in SUV, that of other images as it is", () => {
  const pane = (modality, suv) => ({ source: { series: { series_instance_uid: modality, modality }, stack: { stack: 0 } }, view: { window_center: 10000, window_width: 20000 }, window: true, suv });
  const [pet, ct] = stageOf("A", "1x2", [pane("PT", 3.5e-4), pane("CT", null)], []).viewports;
  equal(pet.view, { suv: [0, 7] });
  equal(ct.view, { window_center: 10000, window_width: 20000 });
});
