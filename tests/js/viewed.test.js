import { joined, nextPart, panTo, seenIn, share } from "/static/viewer/features/viewed/coverage.js";
import { percent } from "/static/viewer/features/viewed/panel.js";
import { equal, near, ok, test } from "./harness.js";

/** A picture of one voxel to one pixel whose first pixel lies over [column, row]. */
const native = (column, row, columns, rows, more = {}) => ({ exact: true, sampling: "native", columns, rows, placement: { first: [column, row], across: [1, 0], down: [0, 1] }, view: {}, ...more });

test("only an exact picture at full size has shown what it shows", () => {
  equal(seenIn(native(10, 20, 100, 50), 1000, 800), [20, 10, 70, 110]);
  equal(seenIn(native(10, 20, 100, 50, { exact: false }), 1000, 800), null);
  equal(seenIn(native(10, 20, 100, 50, { sampling: "reduced" }), 1000, 800), null);
  equal(seenIn(native(10, 20, 100, 50, { placement: null, sampling: "reformatted" }), 1000, 800), null);
});

test("what lies beside the image was not seen of it", () => {
  equal(seenIn(native(-30, -5, 100, 50), 1000, 800), [0, 0, 45, 70]);
  equal(seenIn(native(-300, 0, 100, 50), 1000, 800), null);
});

test("an enlarged picture shows the pixels whose middle is in it", () => {
  const half = { placement: { first: [9.75, 19.75], across: [0.5, 0], down: [0, 0.5] }, sampling: "enlarged" };
  equal(seenIn(native(0, 0, 100, 50, half), 1000, 800), [20, 10, 45, 60]);
});

test("a turned picture shows the same part", () => {
  const turned = { placement: { first: [109, 20], across: [0, 1], down: [-1, 0] } };
  equal(seenIn(native(0, 0, 50, 100, turned), 1000, 800), [20, 10, 70, 110]);
});

test("areas are joined to the same pixels, each once", () => {
  const areas = joined([[0, 0, 10, 10], [5, 5, 15, 15], [0, 10, 10, 20], [0, 0, 10, 10]]);
  const held = new Set();
  for (const [top, left, bottom, right] of areas) {
    for (let row = top; row < bottom; row += 1) {
      for (let column = left; column < right; column += 1) {
        ok(!held.has(`${row} ${column}`), "twice");
        held.add(`${row} ${column}`);
      }
    }
  }
  equal(held.size, 250);
  near(share(areas, 20, 20), 250 / 400);
});

test("going from part to part sees all of an image, and then there is none", () => {
  const [rows, columns, height, width] = [300, 500, 120, 200];
  let areas = [];
  let steps = 0;
  for (let part = nextPart(areas, rows, columns, height, width); part; part = nextPart(areas, rows, columns, height, width)) {
    const top = Math.round(part.row + 0.5 - height / 2);
    const left = Math.round(part.column + 0.5 - width / 2);
    areas = joined([...areas, [Math.max(0, top), Math.max(0, left), Math.min(rows, top + height), Math.min(columns, left + width)]]);
    steps += 1;
    ok(steps < 30, "it goes round");
  }
  equal(share(areas, rows, columns), 1);
  ok(steps <= 12, `${steps} steps`);
});

test("a part is brought to the middle", () => {
  const header = { ...native(0, 0, 200, 100, { placement: { first: [0, 0], across: [2, 0], down: [0, 2] } }), view: { size: [100, 200] } };
  const [x, y] = panTo(header, [99.5, 49.5], 200, 400);
  near(x, 0.5);
  near(y, 0.5);
});

test("what was not seen wholly is never called 100 %", () => {
  equal([0, 0.004, 0.9999, 1].map(percent), ["0 %", "0 %", "99 %", "100 %"]);
});
