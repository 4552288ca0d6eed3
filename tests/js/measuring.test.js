import { rest, Refused } from "/static/viewer/features/rest.js";
import { laidOut } from "/static/viewer/features/measuring/draw.js";
import { Draft } from "/static/viewer/features/measuring/draft.js";
import { sealOf } from "/static/sealing.js";
import { Journal } from "/static/viewer/features/measuring/journal.js";
import { Live, questionOf } from "/static/viewer/features/measuring/live.js";
import { glassOf, liesIn, place, reachOf, shifted, viewOf } from "/static/viewer/features/measuring/seen.js";
import { along, apart, besideShape, completed, handleMoved, leader, linesOf, offPoints, simplified, toLines, traced, under } from "/static/viewer/features/measuring/shapes.js";
import { currentOf, newUid, Store } from "/static/viewer/features/measuring/store.js";
import { changes, inputsOf, lines, rows, written } from "/static/viewer/features/measuring/values.js";
import { equal, near, ok, test } from "./harness.js";

const at = (x, y) => ({ x, y });
const dot = (a, b, c, d) => (b.x - a.x) * (d.x - c.x) + (b.y - a.y) * (d.y - c.y);
const { devicePixelRatio: ratio } = globalThis;

// --- shapes

test("an ellipse is kept by the ends of its axes, and a moved end leaves the other axis square in the middle", () => {
  const ends = completed("ellipse", [at(10, 20), at(50, 40)]);
  equal(ends, [at(10, 30), at(50, 30), at(30, 20), at(30, 40)]);
  const moved = handleMoved("ellipse", ends, 1, at(50, 70));
  equal([moved[0], moved[1]], [at(10, 30), at(50, 70)]);
  near(dot(moved[0], moved[1], moved[2], moved[3]), 0);
  near(apart(moved[2], moved[3]), 20);
  near((moved[2].x + moved[3].x) / 2, 30);
  ok(moved[2].y < moved[3].y, "the ends do not change places");
});

test("points along an ellipse lie on it", () => {
  const [a, b] = [20, 10];
  const [{ points, closed }] = linesOf("ellipse", [at(-a, 0), at(a, 0), at(0, -b), at(0, b)]);
  ok(closed && points.every(({ x, y }) => Math.abs((x / a) ** 2 + (y / b) ** 2 - 1) < 1e-9));
});

test("the short diameter stands square on the long one, where the hand is, and stays so when either is moved", () => {
  const points = completed("bidirectional", [at(0, 0), at(100, 0), at(40, 15)]);
  equal(points, [at(0, 0), at(100, 0), at(40, 15), at(40, -15)]);
  const longer = handleMoved("bidirectional", points, 1, at(0, 200));
  near(dot(longer[0], longer[1], longer[2], longer[3]), 0);
  near(apart(longer[2], longer[3]), 30);
  const wider = handleMoved("bidirectional", points, 2, at(60, 25));
  equal(wider, [at(0, 0), at(100, 0), at(60, 25), at(60, -15)]);
});

test("both lines of a Cobb angle run the same way", () => {
  equal(completed("cobb", [at(0, 0), at(10, 0), at(10, 30), at(0, 28)]), [at(0, 0), at(10, 0), at(0, 28), at(10, 30)]);
});

test("a rectangle keeps the sides that it was drawn along when the picture is turned", () => {
  const [{ points }] = linesOf("rectangle", [at(0, 0), at(10, 20)], at(0, 5));
  equal(points.map(({ x, y }) => [Math.round(x), Math.round(y)]), [[0, 0], [0, 20], [10, 20], [10, 0]]);
});

test("a trace loses no corner and no more than a third of a pixel", () => {
  const circle = Array.from({ length: 200 }, (_, n) => at(50 * Math.cos(n / 32), 50 * Math.sin(n / 32)));
  const fewer = simplified(circle);
  ok(fewer.length < 90 && circle.every((point) => toLines(point, [{ points: fewer }]) < 0.36), `${fewer.length} points`);
  equal(simplified([at(0, 0), at(5, 0), at(10, 0), at(10, 10)]), [at(0, 0), at(10, 0), at(10, 10)]);
  equal(traced([at(0, 0)], at(1, 0)), [at(0, 0)]);
});

test("a handle is found before a line, and neither from far away", () => {
  const shape = linesOf("length", [at(0, 0), at(100, 0)]);
  const look = (point, reach = { handle: 12, line: 5 }) => under(point, [at(0, 0), at(100, 0)], shape, reach);
  equal([look(at(95, 6)), look(at(50, 4)), look(at(50, 9))], [{ index: 1 }, {}, null]);
  equal(look(at(80, 12), { handle: 24, line: 14 }), { index: 1 });
});

test("words never cover an end point, stay in the pane, and go round what is drawn", () => {
  const size = { width: 80, height: 20 };
  const pane = { width: 300, height: 200 };
  for (const points of [[at(10, 10), at(290, 10)], [at(150, 5), at(150, 195)], [at(295, 100)], [at(2, 2), at(298, 198)]]) {
    const box = besideShape(points, size, pane);
    ok(points.every(({ x, y }) => !(x > box.x && x < box.x + 80 && y > box.y && y < box.y + 20)), JSON.stringify([points, box]));
    ok(box.x >= 0 && box.y >= 0 && box.x + 80 <= 300 && box.y + 20 <= 200);
  }
  const free = besideShape([at(20, 100), at(60, 100)], size, pane);
  const other = besideShape([at(20, 100), at(60, 100)], size, pane, [free]);
  ok(Math.abs(free.x - other.x) > 5 || Math.abs(free.y - other.y) > 5, "two words lie over each other");
  const wall = along([{ points: [at(free.x + 40, free.y - 40), at(free.x + 40, free.y + 60)] }]);
  const beside = besideShape([at(20, 100), at(60, 100)], size, pane, [], wall);
  ok(wall.every(({ x, y }) => !(x > beside.x && x < beside.x + 80 && y > beside.y && y < beside.y + 20)));
});

test("words that a hand puts on an end point are pushed off it, with a line back to the shape", () => {
  const box = offPoints({ x: 90, y: 90, width: 40, height: 20 }, [at(100, 100)]);
  ok(!(100 > box.x && 100 < box.x + 40 && 100 > box.y && 100 < box.y + 20));
  equal(leader({ x: 0, y: 0, width: 10, height: 10 }, [at(60, 5)]), [at(10, 5), at(60, 5)]);
  equal(leader({ x: 0, y: 0, width: 10, height: 10 }, [at(12, 5)]), null);
});

// --- where they lie

const SIZE = [100, 200];
const axial = (z, more = {}) => ({
  rows: 100,
  columns: 200,
  stack: 0,
  view: { series: "1.2", plane: "acquired", frame: 4, sop_instance_uid: "1.2.4", frame_number: 1, projection: "slice", slab_thickness: 0, size: SIZE, ...more },
  geometry: { top_left: [0, 0, z], row: [1, 0, 0], column: [0, 1, 0], pixel_spacing: [1, 1] },
});
const coronal = { rows: 100, columns: 200, stack: 0, view: { series: "1.2", plane: "coronal", projection: "slice", slab_thickness: 0, size: SIZE }, depth: { step: 0.8 }, geometry: { top_left: [0, 30, 60], row: [1, 0, 0], column: [0, 0, -1], pixel_spacing: [1, 1] } };
const opened = (reference = "9.9", places = { first: 0, step: 2 }) => ({ view: { stack: 0 }, stacks: [{ stack: 0, frame_of_reference_uid: reference, places }] });
const picture = (header, from = opened()) => ({ header, opened: from, glass: glassOf(header) });
const length = (points, more = {}) => ({ uid: "m", kind: "length", space: "patient", points, series_instance_uid: "1.2", stack: 0, sop_instance_uid: "1.2.9", frame_number: 1, frame_of_reference_uid: "9.9", view: {}, ...more });

test("a measurement lies on the pictures within half a slice, dashed where it only crosses, and on no other", () => {
  const flat = length([[10, 30, 50], [60, 30, 50]]);
  equal([50.9, 51.1].map((z) => Boolean(place(flat, picture(axial(z))))), [true, false]);
  equal(place(flat, picture(coronal)).solid, true);
  const steep = length([[10, 10, 50], [60, 70, 50]]);
  equal([place(steep, picture(axial(50))).solid, place(steep, picture(coronal)).solid], [true, false]);
  equal(place(length([[10, 40, 50], [60, 70, 50]]), picture(coronal)), null);
});

test("a slab holds what lies in its thickness", () => {
  near(reachOf(axial(0, { projection: "mip", slab_thickness: 20 }), opened()), 10.001);
  near(reachOf(axial(0), opened("9.9", { mm: [0, 1, 3, 9, 10, 12] })), 0.501);
});

test("nothing is drawn in another frame of reference, on a volume picture, or on another image", () => {
  const flat = length([[10, 30, 50], [60, 30, 50]]);
  equal(place(flat, picture(axial(50), opened("8.8"))), null);
  equal(place(flat, picture(axial(50), opened(""))), null);
  equal(place(flat, picture(axial(50, { projection: "volume" }))), null);
  equal(place(flat, picture(axial(50, { projection: "mip", slab_thickness: "all" }))), null);
  const stored = { ...axial(50), geometry: null, placement: { first: [0, 0], across: [1, 0], down: [0, 1] } };
  const drawn = length([[10, 30], [60, 30]], { space: "image", sop_instance_uid: "1.2.4" });
  ok(place(drawn, picture(stored)).solid);
  equal(place({ ...drawn, frame_number: 2 }, picture(stored)), null);
  equal(place({ ...drawn, sop_instance_uid: "1.2.5" }, picture(stored)), null);
});

test("where the file names no frame of reference, points are shared within their own stack alone", () => {
  const own = length([[10, 30, 50]], { kind: "probe", frame_of_reference_uid: "" });
  ok(place(own, picture(axial(50), opened(""))));
  equal(place({ ...own, series_instance_uid: "1.3" }, picture(axial(50), opened(""))), null);
});

test("what a hand moves keeps its distance to the picture, and only what lies in the picture is changed there", () => {
  const header = axial(50);
  const glass = glassOf(header);
  equal(shifted(header, "patient", [10, 30, 50.5], at(5 / ratio, 0), glass), [15, 30, 50.5]);
  equal([liesIn(length([[10, 30, 50.1]]), header), liesIn(length([[10, 30, 50.6]]), header)], [true, false]);
});

test("going there asks for the image, or for the plane it was drawn on", () => {
  equal(viewOf(length([[0, 0, 0]], { view: { plane: "acquired", frame: 3 } })), { plane: "acquired", sop_instance_uid: "1.2.9", frame_number: 1 });
  equal(viewOf(length([[0, 0, 0], [2, 4, 6]], { view: { plane: "coronal" } })), { plane: "coronal", center: [1, 2, 3] });
});

test("lines are laid out with their words, crossing ones without", () => {
  const mark = length([[10, 30, 50], [60, 30, 50]], { values: { length: { value: 50, unit: "mm", source: "Pixel Spacing" } } });
  const [item] = laidOut([mark], picture(axial(50)));
  equal([item.solid, item.words, item.handles.length], [true, ["50.0 mm"], 2]);
  const [crossing] = laidOut([{ ...mark, points: [[10, 10, 50], [60, 70, 50]] }], picture(coronal));
  equal([crossing.solid, crossing.words, crossing.handles], [false, [], []]);
});

// --- drawing by hand

const pane = () => ({ header: axial(50), opened: opened(), state: "shown" });

test("a line comes from one drag, or from two clicks", () => {
  const [a, b] = [at(10, 10), at(60, 30)];
  const dragged = new Draft("length", pane());
  ok(dragged.press(a));
  dragged.move(b);
  ok(dragged.release());
  const clicked = new Draft("length", pane());
  clicked.press(a);
  ok(!clicked.release());
  clicked.move(b);
  clicked.press(b);
  ok(clicked.release());
  equal(dragged.mark.points, clicked.mark.points);
  equal(dragged.mark.points.length, 2);
});

test("an angle comes from a drag and a click, a Cobb angle from two drags", () => {
  const angle = new Draft("angle", pane());
  angle.press(at(10, 10));
  angle.move(at(50, 10));
  ok(!angle.release());
  angle.move(at(50, 60));
  angle.press(at(50, 60));
  ok(angle.release());
  equal(angle.mark.points.length, 3);
  const cobb = new Draft("cobb", pane());
  for (const [from, to, last] of [[at(10, 10), at(60, 12), false], [at(10, 50), at(60, 60), true]]) {
    cobb.press(from);
    cobb.move(to);
    equal(cobb.release(), last);
  }
  equal(cobb.mark.points.length, 4);
});

test("a drawing does not go on upon another image", () => {
  const viewport = pane();
  const draft = new Draft("angle", viewport);
  draft.press(at(10, 10));
  draft.move(at(50, 10));
  draft.release();
  ok(draft.here);
  viewport.header = axial(52);
  ok(!draft.here);
});

// --- numbers

const mm = (value, unit = "mm") => ({ value, unit, source: "Pixel Spacing" });

test("numbers have few digits and always a unit", () => {
  equal([mm(12.34), mm(-3.6, "HU"), mm(-0.2, "HU"), mm(21.16, "°"), mm(1.237, "g/ml"), mm(null)].map(written), ["12.3 mm", "−4 HU", "0 HU", "21.2°", "1.24 g/ml", ""]);
});

test("what stands beside a shape is what is read at a glance", () => {
  equal(lines({ kind: "length", values: { length: mm(12.34) } }), ["12.3 mm"]);
  equal(lines({ kind: "bidirectional", label: "Node", values: { long: mm(44.66), short: mm(25), product: mm(1116, "mm²") } }), ["Node", "44.7 × 25.0 mm"]);
  equal(lines({ kind: "ellipse", values: { mean: mm(-262.2, "HU"), sd: mm(498.6, "HU"), min: mm(-928, "HU"), max: mm(253, "HU"), area: mm(1722, "mm²") } }), ["Mean −262 HU, SD 499", "−928 … 253 HU", "17.22 cm²"]);
  equal(lines({ kind: "arrow", label: "Rib", values: {} }), ["Rib"]);
  equal(lines({ kind: "calibration", values: { known: mm(50), length: mm(312, "px") } }), ["50.0 mm (stated)"]);
  equal(lines({ kind: "segment", values: { volume: mm(1234.5, "mm³") } }), ["volume 1234.5 mm³"]);
});

test("a region on a PET is told in SUV, and says what the SUV was made from", () => {
  const inputs = { patient_weight_kg: 66.2, decay_correction: "START", scanned_at: "1986-08-10T13:02:44.678", scanned_at_source: "Series Time" };
  const suv = (value) => ({ ...mm(value, "g/ml"), inputs });
  const values = { mean: mm(5123.4, "BQML"), sd: mm(800.2, "BQML"), min: mm(1, "Bq/ml"), max: mm(9000, "Bq/ml"), suv_mean: suv(1.5086), suv_max: suv(2.65), area: mm(250, "mm²") };
  equal(lines({ kind: "ellipse", values }), ["SUV mean 1.51, max 2.65", "Mean 5123 Bq/ml, SD 800", "2.50 cm²"]);
  equal(inputsOf(values), ["patient weight 66.2 kg", "decay correction START", "scanned at 1986-08-10 13:02:44 (Series Time)"]);
  equal(inputsOf({ mean: mm(1) }), []);
});

test("the list of numbers has each with its source, and no coordinates", () => {
  equal(rows({ x: mm(1), value: mm(40, "HU") }).map(({ name, text, source }) => [name, text, source]), [["value", "40 HU", "Pixel Spacing"]]);
});

test("a change since an earlier study is told in its unit and in percent", () => {
  const previous = { change: { short: { absolute: -1.2, percent: -12.4, unit: "mm" }, long: { absolute: 2.1, percent: 17.2, unit: "mm" } } };
  equal(changes(previous).map(({ label, text }) => [label, text]), [["Long axis", "+2.1 mm, +17 %"], ["Short axis", "−1.2 mm, −12 %"]]);
  equal(changes(null), []);
});

// --- live numbers

test("one question is on the way at most, and of those that wait the newest goes next", async () => {
  const asked = [];
  const channel = { measure: (index, kind, points) => new Promise((answer) => asked.push({ points, answer })) };
  const heard = [];
  const live = new Live((values) => heard.push(values.length.value));
  for (const n of [1, 2, 3]) live.ask(channel, 1, { kind: "length", points: [n] });
  equal(asked.length, 1);
  asked[0].answer({ type: "measure.result", values: { length: { value: 1 } } });
  await new Promise((done) => setTimeout(done));
  equal(asked.map(({ points }) => points[0]), [1, 3]);
  live.forget();
  asked[1].answer({ type: "measure.result", values: { length: { value: 3 } } });
  await new Promise((done) => setTimeout(done));
  equal(heard, [1], "what is no longer drawn is not told");
});

test("a shape is asked about as soon as its points give a number", () => {
  equal(questionOf("cobb", [1, 2, 3]), null);
  equal(questionOf("bidirectional", [1, 2]), { kind: "length", points: [1, 2] });
  equal([questionOf("arrow", [1, 2]), questionOf("angle", [1, 2])], [null, null]);
});

// --- keeping

class Shelf {
  constructor() {
    this.rows = new Map();
  }

  get length() {
    return this.rows.size;
  }

  key(index) {
    return [...this.rows.keys()][index] ?? null;
  }

  getItem(name) {
    return this.rows.get(name) ?? null;
  }

  setItem(name, value) {
    this.rows.set(name, value);
  }

  removeItem(name) {
    this.rows.delete(name);
  }
}

const STUDY = { study_instance_uid: "1.1", organization: "north" };
const moment = () => new Promise((done) => setTimeout(done, 1));

/** A server of measurements with versions, as the doors are said to behave. */
class Server {
  constructor() {
    this.marks = new Map();
    this.said = [];
    this.away = 0;
  }

  ask = async (address, { method = "GET", body } = {}) => {
    this.said.push([method, body?.label ?? null]);
    if (this.away) {
      this.away -= 1;
      throw new Refused(0, null);
    }
    const uid = address.match(/measurements\/([\d.]+)\//)?.[1] ?? body?.uid;
    const now = this.marks.get(uid);
    if (method === "GET") return { measurements: [...this.marks.values()].filter(({ deleted }) => !deleted) };
    if (method === "POST") {
      if (body.label === "bad") throw new Refused(422, { detail: "slices are missing here" });
      return this.#put(uid, { ...body, series_instance_uid: body.series, version: 1 });
    }
    const version = method === "DELETE" ? Number(new URL(address, "http://x").searchParams.get("version") ?? now.version) : body.version;
    if (version !== now.version) throw new Refused(409, { detail: "changed", current: now });
    return this.#put(uid, { ...now, ...body, deleted: method === "DELETE", version: now.version + 1 });
  };

  #put(uid, mark) {
    this.marks.set(uid, { ...mark, uid });
    return this.marks.get(uid);
  }
}

function reading(server = new Server(), shelf = new Shelf()) {
  const timers = [];
  const store = new Store({ ask: server.ask, journal: new Journal(shelf), later: (run) => timers.push(run) });
  store.knows({ name: "alice", shown: "Alice" });
  return { store, server, shelf, later: () => timers.splice(0).forEach((run) => run()) };
}

const drawn = (label, points = [[0, 0, 0], [3, 4, 0]]) => ({ kind: "length", label, series: "1.2", stack: 0, space: "patient", points, view: {} });

test("what is drawn is there at once and is sent until it is acknowledged", async () => {
  const { store, server, shelf, later } = reading();
  await store.follow(STUDY);
  server.away = 2;
  const uid = store.create(STUDY, drawn("a"), { length: mm(5) });
  equal([store.get(uid).state, store.get(uid).values.length.value, shelf.length], ["sending", 5, 1]);
  await moment();
  equal([store.get(uid).state, store.get(uid).problem], ["waiting", "The server cannot be reached."]);
  later();
  await moment();
  later();
  await moment();
  equal([store.get(uid).state, store.get(uid).version, shelf.length], ["kept", 1, 0]);
});

test("what could not be sent is sent after a reload, by the same reader and by no other", async () => {
  const first = reading();
  await first.store.follow(STUDY);
  first.server.away = 1;
  const uid = first.store.create(STUDY, drawn("kept"));
  await moment();
  const bob = new Store({ ask: first.server.ask, journal: new Journal(first.shelf) });
  bob.knows({ name: "bob", shown: "Bob" });
  await bob.follow(STUDY);
  await moment();
  equal([bob.get(uid), first.server.marks.size], [null, 0]);
  const again = reading(first.server, first.shelf);
  await again.store.follow(STUDY);
  await moment();
  equal([again.store.get(uid).state, first.server.marks.size, first.shelf.length], ["kept", 1, 0]);
});

test("a seal keeps what was drawn from whoever reads the disk, and a mark that was sent leaves nothing behind", async () => {
  const seal = await sealOf(btoa(String.fromCharCode(...new Uint8Array(32).fill(7))));
  const [shelf, entry] = [new Shelf(), { uid: "2.25.9", reader: "alice", study: STUDY, fields: { label: "Geheim" } }];
  const journal = Object.assign(new Journal(shelf), { seal });
  equal(await journal.keep(entry), true);
  const onDisk = shelf.getItem(shelf.key(0));
  equal([onDisk.includes("Geheim"), onDisk.includes(STUDY.study_instance_uid), onDisk.includes("alice")], [false, false, true]);
  equal((await journal.of("alice", STUDY.study_instance_uid)).map(({ fields }) => fields.label), ["Geheim"]);
  equal([await new Journal(shelf).of("alice", STUDY.study_instance_uid), shelf.length], [[], 1]);
  const late = journal.keep({ ...entry, fields: { label: "Later" } });
  journal.drop(entry.uid);
  await late;
  equal(shelf.length, 0);
});

test("what the server refuses stays in sight with the reason until it is tried again or given up", async () => {
  const { store, shelf } = reading();
  await store.follow(STUDY);
  const uid = store.create(STUDY, drawn("bad"));
  await moment();
  equal([store.get(uid).state, store.get(uid).problem, shelf.length], ["failed", "slices are missing here", 1]);
  store.discard(uid);
  equal([store.get(uid), shelf.length, store.undo()], [null, 0, null]);
});

test("undo and redo go through drawing, changing and deleting", async () => {
  const { store, server } = reading();
  await store.follow(STUDY);
  const uid = store.create(STUDY, drawn("a"));
  await moment();
  store.edit(uid, { label: "b" });
  await moment();
  store.remove(uid);
  await moment();
  equal(store.get(uid), null);
  const labels = [];
  for (const step of ["undo", "undo", "undo", "redo", "redo", "redo"]) {
    store[step]();
    await moment();
    labels.push(store.get(uid)?.label ?? null);
    equal(server.marks.get(uid).deleted ? null : server.marks.get(uid).label, labels.at(-1), "the server holds the same");
  }
  equal(labels, ["b", "a", null, "a", "b", null]);
  equal(store.redo(), null);
});

test("who was overtaken sees the other's newest, and cannot undo over it", async () => {
  const { store, server } = reading();
  await store.follow(STUDY);
  const uid = store.create(STUDY, drawn("a"));
  await moment();
  server.marks.set(uid, { ...server.marks.get(uid), label: "theirs", version: 2 });
  const told = [];
  store.addEventListener("changed", ({ detail }) => detail.overtaken && told.push(detail.uid));
  store.edit(uid, { label: "mine" });
  await moment();
  equal([store.get(uid).label, told, store.undo()], ["theirs", [uid], null]);
  store.edit(uid, { label: "mine" });
  await moment();
  server.marks.set(uid, { ...server.marks.get(uid), label: "theirs again", version: 9 });
  await store.fetch("1.1");
  equal([store.undo(), store.get(uid).label], [{ uid, refused: true }, "theirs again"]);
});

test("changes made while one is on the way go together after it", async () => {
  const { store, server } = reading();
  await store.follow(STUDY);
  const uid = store.create(STUDY, drawn("a"));
  store.edit(uid, { label: "b" });
  store.edit(uid, { label: "c" });
  await moment();
  await moment();
  equal([server.marks.get(uid).label, server.said.filter(([method]) => method !== "GET")], ["c", [["POST", "a"], ["PUT", "c"]]]);
});

test("a list that was fetched before an answer came does not take the answer back", async () => {
  const { store, server } = reading();
  await store.follow(STUDY);
  let answer;
  const { ask } = server;
  store.ask = (address, options) => (options ? ask(address, options) : new Promise((done) => (answer = () => ask(address).then(done))));
  const old = store.fetch("1.1");
  const uid = store.create(STUDY, drawn("a"));
  await moment();
  store.ask = ask;
  server.marks.delete("none");
  answer();
  await old;
  equal(store.get(uid).state, "kept");
});

test("a name for a measurement is a UID of a random number", () => {
  const uid = newUid();
  ok(/^2\.25\.[1-9]\d{0,38}$/.test(uid) && uid.length <= 64 && uid !== newUid());
  equal(newUid(new Uint8Array(16)), `2.25.${(BigInt(0x40) << 72n) + (BigInt(0x80) << 56n)}`);
});

test("the current version is found in what a refusal brings along", () => {
  equal(currentOf({ detail: "", current: { uid: "1", points: [] } }).uid, "1");
  equal([currentOf({ detail: "" }), currentOf(null)], [null, null]);
  ok(typeof rest === "function");
});
