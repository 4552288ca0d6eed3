import { nextSort, queryOf, requestOf, searchOf } from "/static/list/search.js";
import { rowTexts, studyAddress } from "/static/list/table.js";
import { worthSending } from "/static/upload/files.js";
import { Queue } from "/static/upload/queue.js";
import { tileText } from "/static/viewer/thumbnails.js";
import { presetOfKey, presetRows, shownRow } from "/static/viewer/presets.js";
import { equal, ok, test } from "./harness.js";

test("a search is its address and comes back from it", () => {
  const search = { fields: { q: "doe", modality: "CT" }, sort: "name" };
  equal(searchOf(queryOf(search)), search);
  equal(queryOf({ fields: {}, sort: "-date" }), "");
  ok(requestOf(search, "abc", 50).endsWith("cursor=abc&limit=50"));
});

test("a second click on a heading turns the order round", () => {
  equal([nextSort("-date", "name"), nextSort("name", "name"), nextSort("-name", "name"), nextSort("name", "date")], ["name", "-name", "name", "-date"]);
});

test("a row of the list has its words", () => {
  const row = rowTexts({
    patient: { name: "Doe^Jane", patient_id: "", birth_date: "19600102", sex: "F" },
    date: "20240131",
    time: "101500",
    description: "",
    modalities: ["CT", "SR"],
    number_of_instances: 3,
    accession_number: "",
    organization: "default",
  });
  equal([row.patient, row.patient_id, row.birth, row.date, row.modality, row.description], ["Doe, Jane", "no ID", "1960-01-02 · F 64 y", "2024-01-31 10:15", "CT SR", "No description"]);
});

test("an address names the organization where there are several", () => {
  const study = { study_instance_uid: "1.2", organization: "north west" };
  equal([studyAddress(study), studyAddress(study, true)], ["/studies/1.2/", "/studies/1.2/?organization=north%20west"]);
});

test("leavings of operating systems are not sent", () => {
  const file = { size: 1 };
  equal(["a/.DS_Store", "Thumbs.db", "__MACOSX/x", "CD/DICOMDIR"].map((path) => worthSending({ path, file })), [false, false, false, true]);
  equal(worthSending({ path: "a", file: { size: 0 } }), false);
});

const item = (path, size = 10) => ({ path, file: { size, name: path } });
const quiet = { pause: async () => {}, address: () => "/", token: "t" };
const settled = async (queue) => {
  while (queue.busy) await new Promise((done) => setTimeout(done));
};

test("three files are on the way at once, and all get there", async () => {
  let now = 0;
  let most = 0;
  const queue = new Queue({
    ...quiet,
    send: async () => {
      most = Math.max(most, (now += 1));
      await new Promise((done) => setTimeout(done, 2));
      now -= 1;
      return { status: 200, body: { outcomes: [{ outcome: "stored" }] }, after: 0 };
    },
  });
  for (let n = 0; n < 12; n += 1) queue.add(item(`f${n}`));
  await settled(queue);
  equal([most, queue.finished, queue.sent], [3, 12, 120]);
});

test("a busy server is asked again, a refusal is not", async () => {
  const asked = { busy: 0, bad: 0 };
  const outcomes = [];
  const queue = new Queue({
    ...quiet,
    send: async (_address, _token, { path }) => {
      asked[path] += 1;
      if (path === "busy" && asked.busy < 3) return { status: 503, body: null, after: 0 };
      return path === "bad" ? { status: 413, body: { detail: "too large" }, after: 0 } : { status: 200, body: { outcomes: [{ outcome: "stored", name: path }] }, after: 0 };
    },
  });
  queue.addEventListener("outcome", ({ detail }) => outcomes.push(...detail.outcomes));
  queue.add(item("busy"));
  queue.add(item("bad"));
  await settled(queue);
  equal(asked, { busy: 3, bad: 1 });
  equal(outcomes.map(({ outcome, reason }) => [outcome, reason ?? ""]).sort(), [["failed", "too large"], ["stored", ""]]);
  equal(queue.failed.length, 1);
});

test("cancelling lets go of what waits and counts it out", async () => {
  const queue = new Queue({ ...quiet, send: (_address, _token, _item, { signal }) => new Promise((done) => signal.addEventListener("abort", () => done({ status: -1 }))) });
  for (let n = 0; n < 9; n += 1) queue.add(item(`f${n}`));
  queue.cancel();
  await settled(queue);
  equal([queue.count, queue.bytes, queue.finished], [0, 0, 0]);
});

test("the file's windows stand first, and the keys belong to the table", () => {
  const presets = [
    { name: "window 1", source: "file", window_center: 0, window_width: 1 },
    { name: "soft tissue", source: "server", window_center: 40, window_width: 400 },
    { name: "lung", source: "server", window_center: -600, window_width: 1500 },
  ];
  equal(presetRows(presets).map(({ label, key }) => [label, key]), [["window 1", ""], ["soft tissue", "1"], ["lung", "2"]]);
  equal(presetOfKey(presets, 1).name, "lung");
  equal(presetOfKey(presets.slice(0, 1), 0).name, "window 1");
  equal(presetOfKey([], 0), null);
});

test("a window stands once, and the file's stands for its like in the table, with its key", () => {
  const window = (name, source, window_center, window_width) => ({ name, source, window_center, window_width });
  const presets = [
    window("window 1", "file", -450, 2000),
    window("window 2", "file", -450, 2000),
    window("Lung", "file", -600, 1500),
    window("soft tissue", "server", 40, 400),
    window("lung", "server", -600, 1500),
  ];
  const rows = presetRows(presets);
  equal(rows.map(({ label, key, own }) => [label, key, own]), [["window 1", "", true], ["Lung", "2", true], ["soft tissue", "1", false]]);
  equal(presetOfKey(presets, 1).name, "Lung");
  const said = [window("NORMAL", "file", 50, 100), window("HARDER", "file", 50, 100)];
  equal(presetRows(said).length, 2);
});

test("the preset that the picture shows is told by its name or by its window", () => {
  const rows = presetRows([
    { name: "window 1", source: "file", window_center: 30, window_width: 100, voi_lut_function: "LINEAR" },
    { name: "LUT", source: "file", voi_lut: true },
  ]);
  equal(shownRow(rows, { preset: null, window_center: 30, window_width: 100, voi_lut_function: "LINEAR" }).label, "window 1");
  equal(shownRow(rows, { preset: "LUT", window_center: null, window_width: null }).label, "LUT");
  equal([shownRow(rows, { window_center: 31, window_width: 100 }), shownRow(rows, {})], [null, null]);
});

test("a tile begins with what tells it from its neighbours", () => {
  const stacks = [{ stack: 0, label: "axial, echo 14 ms", frames: 3 }, { stack: 1, label: "", frames: 1 }];
  const series = { number: 1, modality: "MR", description: "Various contrasts and projections", stacks };
  equal(stacks.map((stack) => tileText({ series, stack }).title), ["axial, echo 14 ms · Various contrasts and projections", "stack 2 · Various contrasts and projections"]);
  equal(tileText({ series: { ...series, stacks: stacks.slice(0, 1) }, stack: stacks[0] }).title, "Various contrasts and projections");
});
