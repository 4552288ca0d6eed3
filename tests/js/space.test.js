import { along, directions, middleOf, normalOf, placePart, planePart, PLANES, planeWords, projectionPart, projectionWords, reformatted, resetPart, slabPart, spotOf, turnedPlane, turningPart, turnPart, unturned, volumePart, whole, windowPart } from "/static/viewer/space.js";
import { equal, near, ok, test } from "./harness.js";

const close = (have, want, by = 1e-9) => have.forEach((value, axis) => near(value, want[axis], by));
const GEOMETRY = { origin: [-100, -90, 50], steps: [[0, 0, -2], [0, 0.5, 0], [0.5, 0, 0]], shape: [100, 300, 400] };
const OPENED = { frames: 100, geometry: GEOMETRY };
const HEADER = {
  rows: 301,
  columns: 401,
  view: { plane: "acquired", frame: 10 },
  geometry: { top_left: [-100, -90, 30], row: [1, 0, 0], column: [0, 1, 0], pixel_spacing: [0.5, 0.5] },
};
const CORONAL = { ...HEADER, view: { plane: "coronal", center: [0, -20, -50] }, depth: { direction: [0, 1, 0], position: -20, first: -90, last: 60, step: 0.5, count: 301, index: 140 } };
const AXIAL = { ...HEADER, view: { plane: "axial", center: [0, 0, 30] }, depth: { direction: [0, 0, -1], position: -30, first: -50, last: 148, step: 2, count: 100, index: 10 } };

test("the middle of a picture is a point of the patient", () => {
  close(middleOf(HEADER), [0, -15, 30]);
  equal(middleOf({ ...HEADER, geometry: null }), null);
});

const HEART = [-0.25, -15.25, -49];
const VOXEL = [0, -15, -50];

test("another plane goes through what the reader scrolled to, and shows all of it", () => {
  const part = planePart("axial", { view: HEADER.view, header: HEADER, opened: OPENED });
  equal(part.plane, "axial");
  close(part.center, [HEART[0], HEART[1], 30]);
  equal([part.zoom, part.pan, part.rotation], [1, [0, 0], 0]);
  close(planePart("coronal", { view: HEADER.view, header: HEADER, opened: OPENED }).center, [HEART[0], VOXEL[1], HEART[2]]);
});

test("what was scrolled to in one plane is found again after another", () => {
  let spot = spotOf({ view: HEADER.view, header: HEADER, opened: OPENED });
  close(spot, [VOXEL[0], VOXEL[1], 30]);
  spot = spotOf({ view: { plane: "coronal", center: [0, 7, HEART[2]] }, header: CORONAL, opened: OPENED, spot });
  close(spot, [VOXEL[0], 7, 30]);
  spot = spotOf({ view: { plane: "coronal", projection: "mip", slab_thickness: "all", center: HEART }, header: CORONAL, opened: OPENED, spot });
  close(spot, [VOXEL[0], 7, 30], 0);
  const view = { plane: "sagittal", center: [11, HEART[1], HEART[2]] };
  close(planePart("axial", { view, header: HEADER, opened: OPENED, spot }).center, [HEART[0], HEART[1], 30]);
  close(planePart("coronal", { view, header: HEADER, opened: OPENED, spot }).center, [HEART[0], 7, HEART[2]]);
  equal(spotOf({ view, header: HEADER, opened: { geometry: null } }), null);
});

test("back to the stack comes the image nearest to where the reader was", () => {
  const part = planePart("acquired", { view: { plane: "axial", center: [3, 4, 30.9] }, header: HEADER, opened: OPENED });
  equal([part.plane, part.frame, part.center], ["acquired", 10, null]);
  const far = planePart("acquired", { view: { plane: "axial", center: [3, 4, -5000] }, header: HEADER, opened: OPENED });
  equal(far.frame, 99);
});

test("where slices of the volume are no images of the stack, the stack stays where it was", () => {
  const opened = { frames: 60, geometry: GEOMETRY };
  ok(!("frame" in planePart("acquired", { view: { plane: "axial", center: [0, 0, 0] }, header: HEADER, opened })));
  const left = planePart("acquired", { view: { plane: "axial", center: [0, 0, 0] }, header: HEADER, opened: null, stackFrame: 7 });
  equal(left.frame, 7);
});

test("from the whole volume back to the stack is a slice", () => {
  const part = planePart("acquired", { view: { plane: "coronal", projection: "mip", slab_thickness: "all" }, header: HEADER, opened: OPENED });
  equal([part.projection, part.slab_thickness], ["slice", 0]);
});

test("a projection keeps the thickness that was chosen, and gets one where there was none", () => {
  const from = (projection, slab_thickness) => ({ view: { plane: "axial", projection, slab_thickness } });
  equal(projectionPart("mip", from("slice", 0)), { projection: "mip", slab_thickness: 10 });
  equal(projectionPart("minip", from("mip", 25)), { projection: "minip", slab_thickness: 25 });
  equal(projectionPart("slice", from("mip", 25)), { projection: "slice", slab_thickness: 0 });
});

test("the whole volume is left for its plane through the point from before", () => {
  const view = { plane: "sagittal", projection: "mip", slab_thickness: "all", center: HEART };
  const part = projectionPart("mean", { view, spot: [42, 7, 30], opened: OPENED });
  equal([part.projection, part.slab_thickness], ["mean", 10]);
  close(part.center, [42, HEART[1], HEART[2]]);
});

test("a slab grows and shrinks by the steps of the menu, to a slice and back", () => {
  equal(slabPart(1, {}), { projection: "mip", slab_thickness: 5 });
  equal(slabPart(1, { projection: "mean", slab_thickness: 12 }), { projection: "mean", slab_thickness: 20 });
  equal(slabPart(-1, { projection: "mean", slab_thickness: 12 }), { projection: "mean", slab_thickness: 10 });
  equal(slabPart(-1, { projection: "mip", slab_thickness: 5 }), { projection: "slice", slab_thickness: 0 });
  equal([slabPart(1, { projection: "mip", slab_thickness: 40 }), slabPart(-1, {}), slabPart(1, { projection: "volume" })], [null, null, null]);
});

test("the whole volume is seen from the front first, and then from where it was turned to", () => {
  const first = turningPart({ plane: "axial", projection: "slice" });
  equal([first.plane, first.projection, first.slab_thickness, first.center], ["coronal", "mip", "all", null]);
  const turned = { plane: { row: [0, 1, 0], column: [0, 0, -1] }, projection: "mip", slab_thickness: "all" };
  const part = volumePart("bone", turned);
  equal([part.projection, part.volume_preset, "plane" in part], ["volume", "bone", false]);
});

test("what is whole and what is a reformat", () => {
  equal([whole({ projection: "volume" }), whole({ projection: "mip", slab_thickness: "all" }), whole({ projection: "mip", slab_thickness: 20 }), whole({})], [true, true, false, false]);
  equal([reformatted({}), reformatted({ plane: "acquired" }), reformatted({ plane: "axial" }), reformatted({ plane: PLANES.axial })], [false, false, true, true]);
});

test("places along the normal are counted along the way that stacks run", () => {
  equal(along(CORONAL.view, CORONAL), { at: 140, count: 301 });
  equal(along(AXIAL.view, AXIAL), { at: 10, count: 100 });
  equal(along(HEADER.view, HEADER), null);
  equal(along({ ...CORONAL.view, projection: "volume" }, CORONAL), null);
  equal(along({ ...CORONAL.view, plane: "sagittal" }, CORONAL), null, "no picture of it has come");
});

test("going to a place moves the centre along the normal alone", () => {
  close(placePart(150, CORONAL.view, CORONAL).center, [0, -15, -50]);
  close(placePart(0, CORONAL.view, CORONAL).center, [0, -90, -50]);
  close(placePart(12, AXIAL.view, AXIAL).center, [0, 0, 26]);
});

test("steps add up while the answer to the last one is still out", () => {
  let { view } = CORONAL;
  for (let step = 0; step < 7; step += 1) view = { ...view, ...placePart(along(view, CORONAL).at + 1, view, CORONAL) };
  close(view.center, [0, -16.5, -50]);
});

test("a drag to the right turns the front to the right", () => {
  const { row, column } = turnedPlane(PLANES.coronal, [225, 0]);
  close(row, [0, -1, 0]);
  close(column, [0, 0, -1]);
});

test("a drag down looks from above", () => {
  const { row, column } = turnedPlane(PLANES.coronal, [0, 225]);
  close(row, [1, 0, 0]);
  close(normalOf({ row, column }), [0, 0, -1]);
});

test("a turned plane stays square and of length one, however long it is turned", () => {
  let plane = PLANES.sagittal;
  for (let step = 0; step < 1000; step += 1) plane = turnedPlane(plane, [3 + (step % 7), -5 + (step % 11)]);
  near(Math.hypot(...plane.row), 1, 1e-12);
  near(Math.hypot(...plane.column), 1, 1e-12);
  near(plane.row.reduce((sum, value, axis) => sum + value * plane.column[axis], 0), 0, 1e-12);
  equal(turnedPlane(PLANES.axial, [0, 0]), PLANES.axial);
});

test("turning keeps the scale, though the volume fits the pane differently from each side", () => {
  const view = { zoom: 1, size: [400, 400] };
  const turned = turnPart(PLANES.axial, [0, -225], view, OPENED); // 200 x 150 mm from below, 200 x 200 from the back
  close(normalOf(turned.plane), [0, -1, 0]);
  near(turned.zoom, 1, 1e-9);
  const aside = turnPart(PLANES.coronal, [225, 0], { zoom: 2, size: [200, 800] }, OPENED);
  near(aside.zoom, 2, 1e-9); // 200 mm from head to feet fill the height from everywhere
  const wide = turnPart(PLANES.axial, [225, 0], { zoom: 1.5, size: [800, 400] }, OPENED);
  near(wide.zoom, 1.5, 1e-9);
  const tall = turnPart(PLANES.axial, [0, -225], { zoom: 1, size: [300, 800] }, OPENED);
  near(tall.zoom, 200 / 150, 1e-9);
  ok(!("zoom" in turnPart(PLANES.axial, [9, 9], { zoom: "native", size: [400, 400] }, OPENED)));
  ok(!("zoom" in turnPart(PLANES.axial, [9, 9], { zoom: 1, size: [400, 400] }, null)));
});

test("a hand on a turned or flipped picture means what it sees", () => {
  close(unturned([5, 2], { rotation: 0 }), [5, 2]);
  close(unturned([5, 2], { flip_horizontal: true }), [-5, 2]);
  close(unturned([5, 2], { rotation: 90 }), [2, -5]);
  close(unturned([5, 2], { rotation: 180, flip_vertical: true }), [-5, 2]);
});

test("the plane of the stack is found in a picture that is turned or flipped", () => {
  const seen = (row, column) => ({ geometry: { row, column } });
  equal(directions({ plane: "acquired" }, seen([1, 0, 0], [0, 1, 0])), PLANES.axial);
  const flipped = directions({ flip_horizontal: true }, seen([-1, 0, 0], [0, 1, 0]));
  close([...flipped.row, ...flipped.column], [1, 0, 0, 0, 1, 0]);
  const turned = directions({ rotation: 90 }, seen([0, -1, 0], [1, 0, 0]));
  close([...turned.row, ...turned.column], [1, 0, 0, 0, 1, 0]);
  equal(directions({ plane: "acquired" }, { geometry: null }), null);
});

test("a window can be taken along and given back", () => {
  const view = { window_center: 40, window_width: 400, voi_lut_function: "LINEAR", preset: null };
  equal(windowPart(view), { window_center: 40, window_width: 400, voi_lut_function: "LINEAR" });
  equal(windowPart({ preset: "bone" }), { preset: "bone" });
  equal(windowPart({}), { window_center: null, window_width: null, voi_lut_function: null });
});

test("reset keeps the kind of picture and the place in the patient, and leaves a turned plane for the front", () => {
  equal(resetPart({ view: { plane: "acquired" }, opened: OPENED }), {});
  const coronal = resetPart({ view: { ...CORONAL.view, zoom: 3 }, header: CORONAL, opened: OPENED });
  equal(coronal.plane, "coronal");
  close(coronal.center, [HEART[0], -20, HEART[2]]);
  const oblique = resetPart({ view: { plane: PLANES.axial, center: [5, -40, 30] }, header: AXIAL, opened: OPENED, spot: [5, -40, 0] });
  equal(oblique.plane, "coronal");
  close(oblique.center, [HEART[0], -40, HEART[2]]);
  equal(resetPart({ view: volumePart("bone", { plane: "coronal" }), opened: OPENED }), { plane: "coronal", center: null });
});

test("every kind of picture has its words", () => {
  equal([planeWords({}), planeWords({ plane: "coronal" }), planeWords({ plane: PLANES.axial })], ["", "Coronal", "Oblique"]);
  equal(projectionWords({ projection: "slice", slab_thickness: 0 }), "");
  equal(projectionWords({ projection: "minip", slab_thickness: 12.5 }), "MinIP 12.5 mm");
  equal(projectionWords({ projection: "mip", slab_thickness: "all" }), "MIP of the whole volume");
  equal(projectionWords({ projection: "volume", volume_preset: "soft tissue" }), "Volume, soft tissue");
});
