import { cornerTexts, Overlay, sourceMark } from "/static/viewer/overlay.js";
import { equal, ok, test } from "./harness.js";

const study = {
  patient: { name: "Doe^Jane", patient_id: "P1", birth_date: "19600102", sex: "F" },
  description: "CT chest",
  date: "20240131",
  time: "101500",
  accession_number: "A7",
};
const series = { number: 2, modality: "CT", description: "Axial", body_part_examined: "CHEST", stacks: [{}] };
const stack = { stack: 0, frames: 217, rows: 512, columns: 512, label: "axial" };
const view = { frame: 4, zoom: 1, window_center: 40, window_width: 400, rotation: 0, size: [1024, 1024] };
const header = (more = {}) => ({
  rows: 1024,
  columns: 1024,
  frames: 217,
  sampling: "enlarged",
  source_lossy: null,
  geometry: { top_left: [0, 0, 0], row: [1, 0, 0], column: [0, 1, 0], pixel_spacing: [0.4, 0.4] },
  labels: { slice_location: "-12.50", slice_thickness: "1" },
  ...more,
  view: { ...view, ...more.view },
});
const texts = (corner, more) => cornerTexts({ header: header(more), study, series, stack, opened: { unit: "HU" }, fit: 2 })[corner].map(({ text }) => text).filter(Boolean);

test("the corners say who, what and when", () => {
  equal(texts("top-left"), ["Doe, Jane", "born 1960-01-02", "ID P1", "female, 64 y"]);
  equal(texts("top-right"), ["CT chest", "Acc A7", "2024-01-31  10:15:00"]);
  equal(texts("bottom-right").at(-1), "Se 2 CT Axial");
});

test("place, window and zoom are those of the header", () => {
  equal(texts("bottom-left"), ["Zoom 200 % (fit)", "W 400 C 40 HU", "Im 5/217"]);
  equal(texts("bottom-left", { view: { zoom: "native", inverted: true } })[0], "inverted");
  ok(texts("bottom-left", { view: { zoom: "native" } })[0].startsWith("Zoom 100 %"));
});

test("a plane laid through the images has its own place, and neither their thickness nor their location", () => {
  equal(texts("bottom-right").slice(-3, -1), ["T 1 mm", "Loc -12.5 mm"]);
  const laid = (plane, depth) => texts("bottom-right", { view: { plane }, depth }).filter((text) => /^(T|Gap|Loc) /.test(text));
  equal(laid("axial", { direction: [0, 0, -1], position: -205 }), ["Loc H 205.0 mm"]);
  equal(laid("axial", { direction: [0, 0, -1], position: 12.25 }), ["Loc F 12.3 mm"]);
  equal(laid("sagittal", { direction: [1, 0, 0], position: -3 }), ["Loc R 3.0 mm"]);
  equal(laid({ row: [1, 0, 0], column: [0, 0.6, -0.8] }, { direction: [0, 0.8, 0.6], position: 4 }), []);
});

test("the words of a mammogram stand where no breast lies, however it is turned", () => {
  const free = (patient_orientation, more = {}, modality = "MG") => {
    const overlay = new Overlay(document.createElement("div"));
    const labels = { patient_orientation };
    const shown = header({ geometry: null, labels, ...more });
    overlay.update({ header: shown, study, series: { ...series, modality }, stack, opened: null, ratio: 1 });
    return overlay.element.dataset.free;
  };
  equal(free("P\\L"), "left"); // a right breast: the chest wall at the right
  equal(free("A\\R"), "right");
  equal(free("P\\FL"), "left");
  equal(free("P\\L", { view: { flip_horizontal: true } }), "right");
  equal(free("P\\L", { view: { rotation: 90 } }), undefined);
  equal(free(""), undefined);
  equal(free("P\\F", {}, "DX"), undefined);
});

test("a VOI LUT is named where there is no window", () => {
  ok(texts("bottom-left", { view: { window_center: null, window_width: null, preset: "bone LUT" } }).includes("bone LUT"));
});

test("a loss before the file came here is named with ratio and method", () => {
  equal(sourceMark(null), null);
  equal(sourceMark({ ratio: [17.7], method: ["ISO_10918_1"] }), "SOURCE lossy 17.7:1 JPEG");
  equal(sourceMark({ ratio: null, method: null }), "SOURCE lossy");
});

function drawn(more) {
  const pane = document.createElement("div");
  const overlay = new Overlay(pane);
  overlay.update({ header: header(more), study, series, stack, opened: null, ratio: 1 });
  return { pane, overlay };
}

test("letters stand at their sides, and none without geometry", () => {
  equal(["left", "right", "top", "bottom"].map((side) => drawn().pane.querySelector(`.letter.${side}`).textContent), ["R", "L", "A", "P"]);
  equal([...drawn({ geometry: null }).pane.querySelectorAll(".letter")].map((one) => one.textContent), ["", "", "", ""]);
});

test("there is no ruler where millimetres are not known, and its source is named where it is not the patient", () => {
  ok(drawn({ geometry: null }).pane.querySelector(".ruler").hidden);
  const { pane } = drawn({ geometry: null, pixel_spacing: [0.2, 0.2], pixel_spacing_source: "at the detector (Imager Pixel Spacing)" });
  ok(pane.querySelector(".ruler").textContent.includes("at the detector"));
});

test("the badge has a word and a shape for each state", () => {
  const { pane, overlay } = drawn();
  overlay.badge(true);
  equal([pane.querySelector(".stream").dataset.state, pane.querySelector(".stream").textContent], ["exact", "exact"]);
  overlay.badge(false, ", waiting 2 s");
  equal([pane.querySelector(".stream").dataset.state, pane.querySelector(".stream").textContent], ["preview", "preview, waiting 2 s"]);
});

test("text of a patient is text, never markup", () => {
  const pane = document.createElement("div");
  const overlay = new Overlay(pane);
  const nasty = { ...study, patient: { ...study.patient, name: "<img src=x onerror=alert(1)>" } };
  overlay.update({ header: header(), study: nasty, series, stack, opened: null, ratio: 1 });
  equal(pane.querySelectorAll("img").length, 0);
});

test("several images that make no volume say why, a clip does not", () => {
  const opened = { geometry: null, geometry_reason: "several images lie at the same position" };
  const said = (more) => cornerTexts({ header: header(), study, series, stack, opened, fit: 2, ...more })["bottom-right"].map(({ text }) => text).filter((text) => text.startsWith("no volume"));
  equal(said(), ["no volume: several images lie at the same position"]);
  equal(said({ stack: { ...stack, frame_times_ms: [33] } }), []);
  equal(said({ series: { ...series, modality: "US" } }), []);
  equal(said({ header: header({ frames: 1 }) }), []);
  equal(said({ opened: { geometry: { spacing_between_slices: 1 }, geometry_reason: null } }), []);
});

test("a picture without planes has the letters of its Patient Orientation", () => {
  const { pane } = drawn({ geometry: null, labels: { patient_orientation: "L\\F" } });
  equal(["left", "right", "top", "bottom"].map((side) => pane.querySelector(`.letter.${side}`).textContent), ["R", "L", "H", "F"]);
});

test("a side is named only where there are two", () => {
  const words = (laterality) => cornerTexts({ header: header({ labels: { laterality } }), study, series, stack, opened: null, fit: 2 })["bottom-right"][0].text;
  equal([words("L"), words("U")], ["L CHEST", "CHEST"]);
});
