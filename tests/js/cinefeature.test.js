import { timeLabels, timesOf } from "/static/viewer/features/cine/times.js";
import { canSubtract, maskHerePart, shiftPart, subtractPart, unshiftPart } from "/static/viewer/features/cine/subtraction.js";
import { equal, test } from "./harness.js";

const places = (first, step = 3) => ({ direction: [0, 0, -1], first, step });
const stack = (number, label, more = {}) => ({ stack: number, label, kind: "spatial", frames: 20, frame_of_reference_uid: "1.2", places: places(-50), ...more });

test("stacks at the same places are times of one another, others are not", () => {
  const stacks = [
    stack(0, "axial, time 1"),
    stack(1, "axial, time 2"),
    stack(2, "axial, time 3", { places: places(-50.001) }),
    stack(3, "axial, moved", { places: places(-47) }),
    stack(4, "axial, shorter", { frames: 19 }),
    stack(5, "axial, elsewhere", { frame_of_reference_uid: "1.3" }),
    stack(6, "coronal", { places: { direction: [0, 1, 0], first: -50, step: 3 } }),
    stack(7, "clip", { kind: "cine", places: null }),
    stack(8, "uneven", { places: { direction: [0, 0, -1], mm: [1, 2, 4] } }),
    stack(9, "uneven too", { places: { direction: [0, 0, -1], mm: [1, 2, 4] } }),
  ];
  const of = (number) => timesOf(stacks, number).map(({ stack: one }) => one);
  equal(of(1), [0, 1, 2]);
  equal(of(9), [8, 9]);
  for (const alone of [3, 4, 5, 6, 7]) equal(of(alone), [], `stack ${alone}`);
  equal(timesOf(undefined, 0), []);
  equal(timeLabels(timesOf(stacks, 0)), ["time 1", "time 2", "time 3"]);
});

const pane = (wish, header = {}) => ({ wish, header, frame: 7, frames: 96, opened: { mask_frames: [] } });

test("subtraction begins with the file's own mask, and each kind of grey keeps its window", () => {
  const viewport = pane({ window_center: 128, window_width: 200 });
  equal(subtractPart(viewport), { mask: { frame: null, shift: null }, window_center: null, window_width: null, voi_lut_function: null, preset: null });
  viewport.wish = { mask: { frame: null, shift: null }, window_center: 5, window_width: 60 };
  const back = subtractPart(viewport);
  equal([back.mask, back.window_center, back.window_width], [null, 128, 200]);
  viewport.wish = { ...back };
  equal([subtractPart(viewport).window_center, subtractPart(viewport).window_width], [5, 60]);
});

test("the image that is shown becomes the mask, where it was moved to", () => {
  equal(maskHerePart(pane({})).mask, { frame: 7, shift: null });
  equal(maskHerePart(pane({ mask: { frame: 0, shift: [1, 2] } })), { mask: { frame: 7, shift: [1, 2] } });
  equal(unshiftPart(pane({ mask: { frame: 4, shift: [1, 2] } })), { mask: { frame: 4, shift: null } });
});

test("the mask moves where the arrow points on the screen, from where the file has it", () => {
  const placed = (across, down) => ({ placement: { across, down }, subtraction: { shift: [0.5, -1] } });
  const moved = (header, way, wish = { mask: { frame: null, shift: null } }) => shiftPart(pane(wish, header), way, 1).mask;
  equal(moved(placed([0.5, 0], [0, 0.5]), [1, 0]), { frame: null, shift: [1.5, -1] });
  equal(moved(placed([0, -0.5], [0.5, 0]), [1, 0]).shift, [0.5, -2], "turned by a quarter");
  equal(moved(placed([-2, 0], [0, 2]), [0, 1]).shift, [0.5, 0], "flipped");
  equal(moved(placed([1, 0], [0, 1]), [-1, 0], { mask: { frame: 3, shift: [0.1, 0] } }), { frame: 3, shift: [-0.9, 0] });
  equal(shiftPart(pane({ mask: { frame: 3, shift: [0.2, 0] } }, placed([1, 0], [0, 1])), [1, 0], 0.1).mask.shift, [0.3, 0], "no dust of tenths");
});

test("only clips that the server can subtract are", () => {
  equal([canSubtract(pane({})), canSubtract({ ...pane({}), opened: { mask_frames: null } }), canSubtract({ ...pane({}), frames: 1 }), canSubtract(null)], [true, false, false, false]);
});
