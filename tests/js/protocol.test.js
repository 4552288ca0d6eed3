import { BadMessage, mergedView, parseFrame, parseText, viewChange } from "/static/viewer/protocol.js";
import { equal, test, throws } from "./harness.js";

function message(header, payload = [1, 2, 3]) {
  const head = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(4 + head.length + payload.length);
  new DataView(bytes.buffer).setUint32(0, head.length);
  bytes.set(head, 4);
  bytes.set(payload, 4 + head.length);
  return bytes.buffer;
}

test("a frame is its header and the bytes of its picture", () => {
  const { header, payload } = parseFrame(message({ type: "frame", viewport: "v1", index: 7, patient: "山田" }));
  equal([header.index, header.patient, [...payload]], [7, "山田", [1, 2, 3]]);
});

test("what is too short, too long or no frame is refused", () => {
  throws(() => parseFrame(new ArrayBuffer(2)), BadMessage);
  throws(() => parseFrame(new Uint8Array([255, 255, 255, 255, 1]).buffer), BadMessage);
  throws(() => parseFrame(message({ type: "other", viewport: "v1", index: 1 })), BadMessage);
  throws(() => parseFrame(message({ type: "frame", index: 1 })), BadMessage);
  throws(() => parseText("{"), BadMessage);
  throws(() => parseText("[]"), BadMessage);
});

test("a change carries an index only when a picture is meant", () => {
  equal("index" in viewChange("v1", 1, { frame: 3 }), false);
  equal(viewChange("v1", 1, { frame: 3 }, 0).index, 0);
});

test("a newer frame takes the name of the older one back", () => {
  const view = { frame: 1, sop_instance_uid: "1.2", frame_number: 1, window_center: 40 };
  equal(mergedView(view, { frame: 2 }), { window_center: 40, frame: 2 });
});

test("a window and a preset take each other's place", () => {
  equal(mergedView({ window_center: 40, window_width: 400, voi_lut_function: "LINEAR" }, { preset: "lung" }), { preset: "lung" });
  equal(mergedView({ preset: "lung" }, { window_center: 1, window_width: 2 }), { window_center: 1, window_width: 2 });
});

test("another stack forgets the place in the old one", () => equal(mergedView({ stack: 0, frame: 9, frame_number: 10 }, { stack: 1 }), { stack: 1 }));

test("another presentation state brings its own window, and another stack has another mask", () => {
  equal(mergedView({ window_center: 40, window_width: 400, zoom: 2 }, { presentation_state: "1.2" }), { zoom: 2, presentation_state: "1.2" });
  equal(mergedView({ presentation_state: "1.2" }, { window_center: 1 }), { presentation_state: "1.2", window_center: 1 });
  equal(mergedView({ stack: 0, mask: { frame: 3 } }, { stack: 1 }), { stack: 1 });
});

test("merging leaves what it merges alone", () => {
  const view = { frame: 1, zoom: 2 };
  mergedView(view, { pixel_spacing: 1 });
  equal(view, { frame: 1, zoom: 2 });
});
