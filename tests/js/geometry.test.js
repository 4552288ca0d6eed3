import { boundedPan, draggedWindow, fitScale, jump, orientationLetters, scaleBar, scaleOf, sides, sidesStored, turnOf, wheelSteps, zoomedAbout, zoomNumber } from "/static/viewer/geometry.js";
import { equal, near, ok, test } from "./harness.js";

test("the axes of the patient have one letter each", () => {
  equal(orientationLetters([1, 0, 0]), "L");
  equal(orientationLetters([-1, 0, 0]), "R");
  equal(orientationLetters([0, 1, 0]), "P");
  equal(orientationLetters([0, -1, 0]), "A");
  equal(orientationLetters([0, 0, 1]), "H");
  equal(orientationLetters([0, 0, -1]), "F");
});

test("an oblique direction has its strongest letter first", () => {
  equal(orientationLetters([0, 0.948, -0.317]), "PF");
  equal(orientationLetters([0.5, 0.6, 0.62]), "HPL");
  equal(orientationLetters([0.999, 0.02, 0.03]), "L");
});

test("no direction, no letter", () => {
  equal(orientationLetters(null), "");
  equal(orientationLetters([1, NaN, 0]), "");
  equal(sides(null), null);
});

test("an axial picture has right on its left and anterior on top", () => {
  equal(sides({ row: [1, 0, 0], column: [0, 1, 0] }), { left: "R", right: "L", top: "A", bottom: "P" });
});

test("a flipped picture says so by its letters", () => {
  equal(sides({ row: [-1, 0, 0], column: [0, 1, 0] }), { left: "L", right: "R", top: "A", bottom: "P" });
});

test("the scale bar is the longest round length that fits", () => {
  const bar = scaleBar(0.5, 150);
  equal([bar.millimetres, bar.pixels, bar.label, bar.ticks], [50, 100, "5 cm", 5]);
  equal(scaleBar(0.78125, 200).label, "10 cm");
  equal(scaleBar(0.01, 150).label, "1 mm");
});

test("there is no scale bar without millimetres", () => {
  for (const spacing of [undefined, null, 0, -1, NaN, Infinity]) equal(scaleBar(spacing, 100), null);
});

test("a window dragged right is wider, dragged up is brighter", () => {
  const from = { center: 40, width: 400, voi_lut_function: "LINEAR" };
  equal(draggedWindow(from, 100, 0), { window_center: 40, window_width: 500 });
  equal(draggedWindow(from, 0, -100), { window_center: -60, window_width: 400 });
});

test("a window keeps the least width that its function allows", () => {
  ok(draggedWindow({ center: 40, width: 400, voi_lut_function: "LINEAR" }, -5000, 0).window_width >= 1);
  const small = draggedWindow({ center: 0.5, width: 0.8, voi_lut_function: "LINEAR_EXACT" }, -5000, 0).window_width;
  ok(small > 0 && small < 0.8);
});

test("the drag is quicker where the window is wide", () => {
  const by = (width) => draggedWindow({ center: 0, width, voi_lut_function: "LINEAR" }, 10, 0).window_width - width;
  near(by(4000) / by(400), 10, 0.01);
});

test("a picture fits by its tighter side, and turned by the other", () => {
  equal(fitScale([512, 1024], 256, 256), 2);
  equal(fitScale([512, 1024], 256, 1024), 1);
  equal(fitScale([512, 1024], 256, 1024, 90), 0.5);
});

test("native zoom is one picture pixel for one stored pixel", () => {
  equal(zoomNumber("native", 2), 0.5);
  equal(zoomNumber(3, 2), 3);
  equal(zoomNumber(null, 2), 1);
});

test("zooming about a point keeps that point where it is", () => {
  const [zoom, pan, at] = [1.5, [0.1, -0.2], [0.25, 0.1]];
  const then = zoomedAbout(zoom, pan, 2, at);
  near((at[0] - pan[0]) / zoom, (at[0] - then.pan[0]) / then.zoom, 1e-4);
  near((at[1] - pan[1]) / zoom, (at[1] - then.pan[1]) / then.zoom, 1e-4);
});

test("zoom has ends", () => {
  equal(zoomedAbout(1, [0, 0], 1e9).zoom, 64);
  equal(zoomedAbout(1, [0, 0], 1e-9).zoom, 0.05);
});

test("pan leaves some of the picture in sight", () => equal(boundedPan([9, -9], 1), [0.95, -0.95]));

test("one notch of a wheel is one step, on every platform's scale", () => {
  for (const deltaY of [53, 100, 120]) equal(wheelSteps(0, { deltaY, deltaMode: 0 }), { steps: 1, rest: 0 });
  equal(wheelSteps(0, { deltaY: 3, deltaMode: 1 }).steps, 1);
  equal(wheelSteps(0, { deltaY: -120 }).steps, -1);
  equal(wheelSteps(0, { deltaY: 360 }).steps, 3);
});

test("a touchpad adds up to steps and loses nothing", () => {
  let rest = 0;
  let sum = 0;
  for (let event = 0; event < 100; event += 1) {
    const now = wheelSteps(rest, { deltaY: 7 });
    rest = now.rest;
    sum += now.steps;
  }
  equal(sum, 14);
});

test("a touchpad that turns round answers at once", () => equal(wheelSteps(45, { deltaY: -10 }), { steps: 0, rest: -10 }));

test("a jump is a twentieth of the stack, at least one image", () => equal([jump(217), jump(5), jump(1)], [11, 1, 1]));

test("a radiograph's letters come from Patient Orientation and turn with the picture", () => {
  const around = (orientation, view) => {
    const found = sidesStored(orientation, view);
    return found && [found.top, found.right, found.bottom, found.left].join(" ");
  };
  equal(around("L\\F"), "H L F R");
  equal(around("P\\FL"), "HR P FL A");
  equal(around("L\\F", { rotation: 90 }), "R H L F");
  equal(around("L\\F", { rotation: 270 }), "L F R H");
  equal(around("L\\F", { rotation: 90, flip_horizontal: true }), "R F L H");
  equal(around("L\\F", { rotation: 180, flip_vertical: true }), "H R F L");
  equal([around("CD\\V"), around("L"), around(undefined)], [null, null, null]);
});

test("both ways to the letters agree for every turn and flip", () => {
  const cross = { row: [1, 0, 0], column: [0, 0, -1] };
  for (const rotation of [0, 90, 180, 270]) {
    for (const flip_horizontal of [false, true]) {
      for (const flip_vertical of [false, true]) {
        const minus = (direction) => direction.map((value) => 0 - value);
        let { row, column } = cross;
        for (let turn = 0; turn < rotation; turn += 90) [row, column] = [minus(column), row];
        if (flip_horizontal) row = minus(row);
        if (flip_vertical) column = minus(column);
        equal(sidesStored("L\\F", { rotation, flip_horizontal, flip_vertical }), sides({ row, column }));
        let [across, down] = [[1, 0], [0, 1]];
        for (let turn = 0; turn < rotation; turn += 90) [across, down] = [minus(down), across];
        if (flip_horizontal) across = minus(across);
        if (flip_vertical) down = minus(down);
        equal(sidesStored("L\\F", turnOf({ across, down })), sides({ row, column }), "from where the pixels lie");
      }
    }
  }
});

test("the scale of a picture is that of the viewport, also while fewer pixels are sent", () => {
  const placement = { across: [0, -0.5], down: [0.25, 0] };
  equal(scaleOf({ view: { size: [400, 600] }, rows: 400, columns: 600, placement }), 2);
  equal(scaleOf({ view: { size: [400, 600] }, rows: 200, columns: 300, placement }), 4);
  equal(scaleOf({ view: {}, rows: 200, columns: 300, placement }), 2);
});
