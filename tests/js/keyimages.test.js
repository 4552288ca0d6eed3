import { carried, linkTo, placeWords, resized, signature } from "/static/viewer/features/keyimages/views.js";
import { exactOf } from "/static/viewer/features/keyimages/marking.js";
import { equal, near, ok, test } from "./harness.js";

const VIEW = { series: "1.2", organization: "default", stack: 0, plane: "acquired", frame: 11, sop_instance_uid: "1.2.3", frame_number: 1, window_center: 40, window_width: 400, preset: null, zoom: 1, pan: [0, 0], size: [500, 700], segmentations: [{ opacity: 0.4, sop_instance_uid: "1.9" }] };

test("the same picture on a larger pane is the same View, whatever the order of its fields", () => {
  const other = Object.fromEntries(Object.entries({ ...VIEW, size: [900, 900] }).reverse());
  equal(signature(other), signature(VIEW));
  equal(signature({ ...VIEW, segmentations: [{ sop_instance_uid: "1.9", opacity: 0.4 }] }), signature(VIEW));
});

test("an image that got another number in a series that grew is still the same View", () => {
  equal(signature({ ...VIEW, frame: 14 }), signature(VIEW));
});

test("another window, place or part of a multi-frame image is another View", () => {
  for (const part of [{ window_center: 41 }, { sop_instance_uid: "1.2.4" }, { frame_number: 2 }, { pan: [0.1, 0] }, { zoom: 2 }, { series: "1.3" }]) ok(signature({ ...VIEW, ...part }) !== signature(VIEW), JSON.stringify(part));
  const coronal = { ...VIEW, plane: "coronal", frame: null, sop_instance_uid: null, frame_number: null, center: [1, 2, 3] };
  ok(signature(coronal) !== signature({ ...coronal, center: [1, 2.5, 3] }));
});

test("what is carried to a pane leaves series, organization and size to it", () => {
  const part = carried(VIEW);
  equal(["series" in part, "organization" in part, "size" in part, "preset" in part], [false, false, false, false]);
  equal([part.sop_instance_uid, part.window_width], ["1.2.3", 400]);
});

test("a link names the study, its organization and the View with its series, and nothing of the pane", () => {
  const link = new URL(linkTo({ study_instance_uid: "1.2.840", organization: "St. Mary's & co" }, VIEW, "https://farview.test"));
  equal([link.origin, link.pathname, link.searchParams.get("organization")], ["https://farview.test", "/studies/1.2.840/", "St. Mary's & co"]);
  const view = JSON.parse(link.searchParams.get("view"));
  equal([view.series, view.frame, "size" in view, "preset" in view], ["1.2", 11, false, false]);
});

test("a key image says which picture it is", () => {
  equal(placeWords(VIEW), "Image 12");
  equal(placeWords({ plane: "coronal", projection: "mip", slab_thickness: 10 }), "Coronal, MIP 10 mm");
  equal(placeWords({ plane: "coronal", projection: "volume", volume_preset: "bone" }), "Coronal, Volume, bone");
});

test("a print of twice the size shows the same part of the patient", () => {
  const header = { view: { ...VIEW, zoom: 2 }, columns: 700, geometry: { pixel_spacing: [0.5, 0.5] } };
  equal([resized(header, [1000, 1400], 2).zoom, resized(header, [1000, 1400], 2).size], [2, [1000, 1400]]);
  equal(resized({ ...header, view: { ...VIEW, zoom: "native" } }, [1000, 1400], 0.7).zoom, 0.7);
  const plane = resized({ ...header, view: { ...VIEW, plane: "coronal", zoom: "native" } }, [1000, 1400], 0.7);
  near(plane.pixel_spacing, 0.25);
  near(resized({ ...header, view: { ...VIEW, zoom: null, pixel_spacing: 0.8 } }, [1000, 1400], 0.7).pixel_spacing, 0.4);
});

class Pane extends EventTarget {
  exact = false;
  state = "shown";
  header = null;
  channel = { name: "v1", changes: 3, unsent: null };
  wish = { frame: 7 };
  stop() {}
  paint(frame, exact) {
    this.header = { view: { frame }, exact };
    this.exact = exact;
    this.dispatchEvent(new Event("painted"));
  }
}

test("the exact picture is waited for, and a preview is none", async () => {
  const pane = new Pane();
  const waiting = exactOf(pane);
  pane.paint(7, false);
  pane.paint(7, true);
  const { view, header } = await waiting;
  equal([view.frame, header.exact], [7, true]);
});

test("who goes on while the exact picture is awaited gets what was wanted, not what came later", async () => {
  const pane = new Pane();
  const waiting = exactOf(pane);
  pane.channel.changes = 4;
  pane.paint(9, true);
  equal(await waiting, { view: { frame: 7 }, header: null });
});

test("a pane that is emptied or fails gives no picture", async () => {
  const [emptied, failed] = [new Pane(), new Pane()];
  const found = [exactOf(emptied), exactOf(failed)];
  emptied.channel = null;
  emptied.dispatchEvent(new Event("state"));
  failed.state = "failed";
  failed.dispatchEvent(new Event("state"));
  equal(await Promise.all(found), [null, null]);
});
