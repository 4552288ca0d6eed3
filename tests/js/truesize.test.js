import { trueZoom } from "/static/viewer/features/truesize.js";
import { millimetresPerPixel } from "/static/viewer/geometry.js";
import { isTrueSize, shownMillimetres } from "/static/viewer/screen.js";
import { equal, near, ok, test } from "./harness.js";

const CT = { columns: 400, view: { size: [300, 800] }, geometry: { pixel_spacing: [0.6, 0.6] } };

test("a picture in the making may be smaller than it is painted", () => near(millimetresPerPixel(CT), 0.3));
test("without millimetres there are none", () => equal(millimetresPerPixel({ columns: 4, view: {} }), null));

test("a presentation state of true size says how large a voxel shall be, also when it is turned", () => {
  const state = { ...CT, true_size: [0.2, 0.1], placement: { across: [2, 0], down: [0, 2] } };
  near(shownMillimetres(state), 0.1);
  near(shownMillimetres({ ...state, placement: { across: [0, 2], down: [2, 0] } }), 0.2);
});

test("a picture is zoomed until a pixel of the screen shows its own size", () => {
  near(trueZoom(1, shownMillimetres(CT), 0.25), 1.2);
  ok(isTrueSize({ ...CT, geometry: { pixel_spacing: [0.5, 0.5] } }, 0.25));
  ok(!isTrueSize(CT, 0.25));
  ok(!isTrueSize(CT, null));
});
