import { Loading } from "/static/viewer/loading.js";
import { equal, ok, test } from "./harness.js";

const later = (ms) => new Promise((done) => setTimeout(done, ms));

test("nothing is said of what takes a moment", async () => {
  const stage = document.createElement("div");
  const loading = new Loading(stage, () => {});
  loading.show({ done: 1, total: 9 });
  ok(loading.element.hidden);
  loading.hide();
  await later(320);
  loading.show({ done: 1, total: 9 });
  ok(loading.element.hidden, "another load has its own moment");
});

test("a load that goes on says how far it is, and can be given up", async () => {
  const stage = document.createElement("div");
  let given = 0;
  const loading = new Loading(stage, () => (given += 1));
  loading.show({ done: 1, total: 400 });
  await later(320);
  loading.show({ done: 120, total: 400 });
  ok(!loading.element.hidden);
  equal(stage.querySelector("span").textContent, "Loading the volume: 120 of 400 images");
  const bar = stage.querySelector("progress");
  equal([bar.value, bar.max, bar.getAttribute("aria-label")], [120, 400, "Loading the volume"]);
  stage.querySelector("button").click();
  equal(given, 1);
});
