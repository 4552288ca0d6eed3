import { crossDirection, cutting, orthogonal, planeName, roleOf, turnedPlanes, viewPlane } from "/static/viewer/features/linking/frame.js";
import { extentAt, nearest, parallel, placeOf, standingOf } from "/static/viewer/features/linking/standing.js";
import { reachIn } from "/static/viewer/features/linking/svg.js";
import { samePart } from "/static/viewer/features/linking/together.js";
import { Links, turnedAlike } from "/static/viewer/features/linking/scrolling.js";
import { equal, near, ok, test } from "./harness.js";

const dot = (a, b) => a.reduce((sum, value, at) => sum + value * b[at], 0);
const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
const all = (have, want, by = 1e-9) => have.forEach((one, at) => near(one, want[at], by));

/** An axial stack of 100 images, 200 x 100 mm, on a pane of 400 x 200 CSS px; `first` is the z of its first image. */
function pane({ number = 1, series = "1", frame = 10, step = 2, first = 0, space = "F", zoom = 1, pan = [0, 0], frames = 100, places, spacing = 1 } = {}) {
  const z = (at) => -(first + at * step);
  const made = {
    number,
    state: "shown",
    source: { series: { series_instance_uid: series, modality: "CT" }, stack: { rows: 100, columns: 200 } },
    opened: { unit: "HU", stacks: [{ stack: 0, frames, frame_of_reference_uid: space, places: places === undefined ? { direction: [0, 0, -1], first, step } : places }] },
    header: {
      rows: 100,
      columns: 200,
      view: { plane: "acquired", stack: 0, frame, zoom, pan },
      geometry: places === null ? null : { top_left: [0, 0, z(frame)], row: [1, 0, 0], column: [0, 1, 0], pixel_spacing: [spacing, spacing] },
      placement: { first: [0, 0], across: [1, 0], down: [0, 1] },
    },
    wish: { plane: "acquired", stack: 0, frame, zoom, pan },
    frames,
    box: { width: 400, height: 200 },
    fit: 1,
    asked: [],
    get frame() {
      return this.wish.frame;
    },
    get zoom() {
      return this.wish.zoom;
    },
    get pan() {
      return this.wish.pan;
    },
    change(part) {
      this.asked.push(part);
      Object.assign(this.wish, part);
    },
    goTo(at) {
      const next = Math.min(this.frames - 1, Math.max(0, at));
      if (next !== this.wish.frame) this.change({ frame: next });
    },
  };
  return made;
}
const linked = (...panes) => {
  const links = new Links({ panes: () => panes, active: () => panes[0] });
  links.set("scroll", true);
  return links;
};
const scroll = (links, viewport, frame) => {
  viewport.wish.frame = frame;
  links.wished(viewport, { frame });
};

test("the three planes stay square on each other however often they are turned", () => {
  let planes = orthogonal();
  for (let turn = 0; turn < 3000; turn += 1) planes = turnedPlanes(planes, ["axial", "coronal", "sagittal"][turn % 3], 0.37 + turn / 100);
  const normals = ["axial", "coronal", "sagittal"].map((name) => cross(planes[name].row, planes[name].column));
  for (const one of [...Object.values(planes).flatMap(({ row, column }) => [row, column]), ...normals]) near(dot(one, one), 1, 1e-9);
  for (const { row, column } of Object.values(planes)) near(dot(row, column), 0, 1e-9);
  near(dot(normals[0], normals[1]), 0, 1e-6);
  near(dot(normals[1], normals[2]), 0, 1e-6);
});

test("a turn in the axial picture moves the coronal line as the hand went", () => {
  const planes = turnedPlanes(orthogonal(), "axial", Math.PI / 6);
  equal(planes.axial, orthogonal().axial);
  // 30 degrees clockwise on the glass: right goes down, which is to the back.
  all(planes.coronal.row, [Math.cos(Math.PI / 6), 0.5, 0]);
  all(planes.coronal.column, [0, 0, -1]);
  equal([roleOf(planes, planes.sagittal), roleOf(planes, orthogonal().sagittal)], ["sagittal", null]);
});

test("a plane of the patient has its name, another one its directions", () => {
  equal(viewPlane({ row: [1, 0, 0], column: [0, 0, -1] }), "coronal");
  const oblique = turnedPlanes(orthogonal(), "axial", 0.1).coronal;
  equal(viewPlane(oblique), oblique);
  equal(planeName(oblique), "coronal");
});

test("two planes cross along a unit direction that lies in both", () => {
  const { axial, coronal } = orthogonal();
  all(crossDirection(axial, coronal).map(Math.abs), [1, 0, 0]);
  equal(crossDirection(axial, axial), null);
  equal(cutting(orthogonal(), axial).sort(), ["coronal", "sagittal"]);
});

test("the nearest image is found in even and uneven stacks, and how far it is away", () => {
  equal(nearest({ first: 10, step: 2.5 }, 5, 16.3), { frame: 3, away: 17.5 - 16.3 });
  equal(nearest({ first: 10, step: 2.5 }, 5, 400).frame, 4);
  const uneven = { mm: [0, 4, 11, 12] };
  equal([nearest(uneven, 4, 7).frame, nearest(uneven, 4, 8).frame, nearest(uneven, 4, -9).frame], [1, 2, 0]);
  equal([placeOf(uneven, 2), placeOf({ first: 1, step: 2 }, 3)], [11, 7]);
});

test("a pane stands where its wish says, before the picture has come", () => {
  const one = pane({ frame: 10 });
  one.wish.frame = 30;
  const { along, point, kind } = standingOf(one);
  equal([along, point, kind], [60, [99.5, 49.5, -60], "stack"]);
});

test("linked panes go to the nearest image by position, whatever their spacing", () => {
  const [thin, thick] = [pane({ number: 1, step: 1, frame: 0 }), pane({ number: 2, series: "2", step: 5, first: 3, frame: 0 })];
  const links = linked(thin, thick);
  scroll(links, thin, 41);
  equal(thick.frame, 8, "43 mm is nearer to 41 than 38");
  equal([links.words(thin), links.words(thick)], ["linked", "linked"]);
});

test("beyond the last image of the other pane its mark says how far", () => {
  const [long, little] = [pane({ number: 1, frame: 0, step: 2 }), pane({ number: 2, series: "2", frame: 0, step: 2, frames: 11 })];
  const links = linked(long, little);
  scroll(links, long, 40);
  equal([little.frame, links.words(little)], [10, "linked, nearest image 60.0 mm away"]);
});

test("across frames of reference the offset of the moment of linking is kept and never adds up", () => {
  const [now, before] = [pane({ number: 1, frame: 20, step: 2 }), pane({ number: 2, series: "2", space: "G", frame: 33, step: 1.5, first: 100 })];
  const links = linked(now, before);
  equal(links.bond(now, before), "offset");
  for (const frame of [37, 3, 88, 51, 20]) scroll(links, now, frame);
  equal(before.frame, 33, "back at the place where both were linked");
  scroll(links, now, 30);
  equal(before.frame, 46, "20 mm further: 13.3 images");
  ok(links.words(before).includes("not registered"));
});

test("without positions panes go by number, and say so", () => {
  const [one, other] = [pane({ number: 1, frame: 4, places: null }), pane({ number: 2, series: "2", frame: 6, places: null })];
  const links = linked(one, other);
  scroll(links, one, 9);
  equal([other.frame, links.words(other)], [11, "linked by image number"]);
});

test("nothing goes round: what a linked pane is told goes on to nobody", () => {
  const [one, other] = [pane({ number: 1, frame: 0 }), pane({ number: 2, series: "2", frame: 0 })];
  const links = linked(one, other);
  const { change } = other;
  other.change = function (part) {
    change.call(this, part);
    links.wished(other, part);
  };
  scroll(links, one, 12);
  equal([other.frame, one.asked, other.asked.length], [12, [], 1]);
  links.wished(other, { frame: 3 });
  equal(one.frame, 12, "only the pane that the reader works on leads");
});

test("planes in other directions are not linked", () => {
  const coronal = { ...pane({ number: 2 }), wish: { plane: "coronal", center: [0, 5, 0] } };
  ok(!parallel(standingOf(pane()), standingOf(coronal)));
  equal(linked(pane(), coronal).bond(pane(), coronal), null);
});

test("zoom and pan together show as many millimetres about the same point", () => {
  const leader = pane({ number: 1 });
  leader.wish = { ...leader.wish, zoom: 2, pan: [0.25, -0.1] };
  const other = pane({ number: 2, series: "2", spacing: 2 });
  const part = samePart(leader, other);
  near(part.zoom, 4);
  // The leader's middle: (99.5, 49.5) less a quarter of its 100 mm, plus a tenth of its 50.
  const middle = [99.5 - 25, 49.5 + 5];
  const heart = [199, 99];
  all(part.pan, [(heart[0] - middle[0]) / 100, (heart[1] - middle[1]) / 50]);
});

test("the first image of a leaning stack lies where its steps lead", () => {
  const one = pane({ frame: 10 });
  one.opened.geometry = { steps: [[0, 1, -2], [0, 1, 0], [1, 0, 0]] };
  all(extentAt(one, 0).geometry.top_left, [0, -10, 0]);
});

test("a line is cut off at the box", () => {
  equal(reachIn({ x: 10, y: 50 }, [1, 0], { width: 100, height: 80 }), [-10, 90]);
  equal(reachIn({ x: 10, y: 90 }, [1, 0], { width: 100, height: 80 }), null);
});

test("what is turned alike turns the same way on the screen, also where one of them is mirrored", () => {
  const lies = (rotation, flip_horizontal = false, flip_vertical = false) => ({ rotation, flip_horizontal, flip_vertical });
  equal(turnedAlike(lies(0), lies(90), lies(180)), { rotation: 270 });
  equal(turnedAlike(lies(0), lies(90), lies(0, true)), { rotation: 270 });
  equal(turnedAlike(lies(0, true, true), lies(270, true, true), lies(0)), { rotation: 270 });
  equal(turnedAlike(lies(90), lies(90, true), lies(0, true)), { flip_horizontal: false });
  equal(turnedAlike(lies(90), lies(90), lies(0)), {});
});
