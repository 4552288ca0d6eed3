import { boundsOf, boxAround, edgesOf, faceMiddle, isWhole, withFace } from "/static/viewer/features/volume/box.js";
import { candidates, limitsOf, limitsPart, scaleOf, suvWords } from "/static/viewer/features/volume/fusion.js";
import { cornerTexts } from "/static/viewer/overlay.js";
import { equal, near, ok, test } from "./harness.js";

const GEOMETRY = { origin: [-10, -20, 30], steps: [[0, 0, -2], [0, 1, 0], [0.5, 0, 0]], shape: [11, 41, 41] };
const BOUNDS = boundsOf(GEOMETRY);

test("the bounds of a volume reach half a voxel beyond its centres", () => {
  equal(BOUNDS, [[-10.25, -20.5, 9], [10.25, 20.5, 31]]);
  equal(boundsOf(null), null);
});

test("a face moves no further than the bounds, and never onto its other side", () => {
  equal(withFace(BOUNDS, 0, 0, 3, BOUNDS)[0][0], 3);
  equal(withFace(BOUNDS, 0, 0, -99, BOUNDS)[0][0], -10.25);
  equal(withFace(BOUNDS, 0, 0, 99, BOUNDS)[0][0], 5.25);
  equal(withFace(BOUNDS, 2, 1, 0, BOUNDS)[1][2], 14);
  equal(BOUNDS[0][0], -10.25, "the box itself is not touched");
});

test("a box around a point stays within the volume", () => {
  equal(boxAround([8, 0, 20], 10, BOUNDS), [[3, -5, 15], [10.25, 5, 25]]);
  ok(isWhole(null, BOUNDS) && isWhole(BOUNDS, BOUNDS) && !isWhole(boxAround([0, 0, 20], 5, BOUNDS), BOUNDS));
});

test("a box has twelve edges and six middles", () => {
  const edges = edgesOf([[0, 0, 0], [1, 2, 3]]);
  equal(edges.length, 12);
  equal(edges.map(([a, b]) => Math.hypot(...a.map((one, at) => one - b[at]))).sort(), [1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3]);
  equal(faceMiddle([[0, 0, 0], [2, 4, 6]], 1, 1), [1, 4, 3]);
});

const stacks = [{ kind: "spatial", frames: 40 }];
const series = (uid, modality, more = stacks) => ({ series_instance_uid: uid, modality, stacks: more });

test("what can lie over a picture: other stacks, PET first, nothing that is drawn on images", () => {
  const study = { series: [series("1", "CT"), series("2", "MR"), series("3", "PT"), series("4", "SEG"), series("5", "CT", [{ kind: "other", frames: 2 }])] };
  equal(candidates(study, { series: study.series[0] }).map((one) => one.series_instance_uid), ["3", "2"]);
});

test("the window of an overlay is told in SUV where that is known, and given back in the stored unit", () => {
  const scale = scaleOf({ unit: "BQML", suv: { factor: 0.0005 } });
  equal(scale, { factor: 0.0005, unit: "SUVbw" });
  const [lower, upper] = limitsOf({ window_center: 5000, window_width: 10000 }, scale);
  near(lower, 0);
  near(upper, 5);
  const part = limitsPart([1, 4], scale);
  near(part.window_center, 5000);
  near(part.window_width, 6000);
  equal(scaleOf({ unit: "BQML", suv: { reason: "no weight" } }), { factor: 1, unit: "BQML" });
});

test("an SUV shows its inputs, and where there is none the reason", () => {
  equal(suvWords({ suv: { reason: "the patient's weight is missing" } }), "No SUV: the patient's weight is missing");
  ok(suvWords({ suv: { factor: 1, inputs: { patient_weight_kg: 66.2 } } }).includes("patient weight 66.2 kg"));
  equal(suvWords({}), "");
});

const texts = (view, opened) =>
  cornerTexts({ header: { view }, study: {}, series: {}, stack: {}, opened, fit: 1 })["bottom-left"].map(({ text }) => text).filter(Boolean);

test("a window of a PET is told in SUV", () => {
  const view = { window_center: 10000, window_width: 20000, frame: 0 };
  ok(texts(view, { unit: "BQML", suv: { factor: 0.0003 } }).includes("W 6 C 3 SUVbw"));
  ok(texts(view, { unit: "BQML", suv: { reason: "no dose" } }).includes("W 20000 C 10000 BQML"));
});

test("what lies over a picture is said on it", () => {
  const fusion = { window_center: 10000, window_width: 20000, color_map: "hot_iron", opacity: 0.4 };
  ok(texts({ fusion, frame: 0 }, { fused: { label: "PT", factor: 0.0003, unit: "SUVbw" } }).includes("PT 40 %, 0 to 6 SUVbw, hot iron"));
});
