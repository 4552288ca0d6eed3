import { anchored, crossing, imageToPicture, onPane, paneToPicture, patientToPicture, pictureToImage, pictureToPane, pictureToPatient } from "/static/viewer/plane.js";
import { equal, near, ok, test } from "./harness.js";

const axial = {
  rows: 100,
  columns: 200,
  geometry: { top_left: [-50, -20, 30], row: [1, 0, 0], column: [0, 1, 0], pixel_spacing: [0.5, 0.25] },
  placement: { first: [3, 5], across: [0, 2], down: [-4, 0] },
};
const coronal = { rows: 50, columns: 50, geometry: { top_left: [-40, 0, 60], row: [1, 0, 0], column: [0, 0, -1], pixel_spacing: [1, 1] } };
const box = { width: 400, height: 200 };

test("pixel centres are whole numbers in the middle of what they cover", () => {
  equal(pictureToPane(axial, [0, 0], box), { x: 1, y: 1 });
  equal(paneToPicture(axial, { x: 1, y: 1 }, box), [0, 0]);
});

test("a patient point goes to the picture and back", () => {
  const point = pictureToPatient(axial, [40, 60]);
  equal(point, [-40, 10, 30]);
  const { at, off } = patientToPicture(axial, [-40, 10, 37]);
  equal([at, off], [[40, 60], 7]);
});

test("a stored pixel goes to the picture and back, also where the picture is turned", () => {
  equal(pictureToImage(axial, [7, 2]), [3 - 8, 5 + 14]);
  equal(imageToPicture(axial, [-5, 19]), [7, 2]);
});

test("a point is kept in the patient where it can be, else in the image, else not", () => {
  equal(anchored(axial, { x: 1, y: 1 }, box), { space: "patient", point: [-50, -20, 30] });
  equal(anchored({ ...axial, geometry: null }, { x: 1, y: 1 }, box), { space: "image", point: [3, 5] });
  equal(anchored({ ...axial, geometry: null, placement: null }, { x: 1, y: 1 }, box), null);
});

test("a kept point is found on the pane, with how far it lies behind it", () => {
  equal(onPane(axial, "patient", [-50, -20, 28], box), { x: 1, y: 1, off: -2 });
  equal(onPane(axial, "image", [3, 5], box), { x: 1, y: 1, off: 0 });
});

test("two planes cross in a line", () => {
  const [a, b] = crossing(axial, coronal, box);
  near(a.y, b.y);
  near(a.y, pictureToPane(axial, patientToPicture(axial, [0, 0, 30]).at, box).y);
  ok(crossing(axial, { ...axial, geometry: { ...axial.geometry, top_left: [0, 0, 99] } }, box) === null);
});
