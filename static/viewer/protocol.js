// The words of the WebSocket (docs/protocol.md): what we send, and how a frame is taken apart. Imports nothing.

export const PROTOCOL = 1;

/** Thrown for a message that is not what the protocol says. */
export class BadMessage extends Error {}

export const hello = () => ({ type: "hello", protocol: PROTOCOL });
export const seriesOpen = (viewport, series, view) => ({ type: "series.open", viewport, series, view });
export const viewportClose = (viewport) => ({ type: "viewport.close", viewport });
export const frameShown = (viewport, index) => ({ type: "frame.shown", viewport, index });

/** Numbers under points of frame `index`; the answer bears `id`. */
export const measure = (viewport, index, id, kind, points) => ({ type: "measure", viewport, index, id, kind, points });

/** A change of the View; `index` is left out when no point of a picture is meant. */
export function viewChange(viewport, change, view, index = null) {
  const message = { type: "view.change", viewport, change, view };
  if (index !== null) message.index = index;
  return message;
}

/** One binary message -> {header, payload}; 4 bytes big-endian length, the header as UTF-8 JSON, the picture's bytes. */
export function parseFrame(buffer) {
  if (buffer.byteLength < 4) throw new BadMessage("a frame shorter than its own length field");
  const length = new DataView(buffer).getUint32(0);
  if (length > buffer.byteLength - 4) throw new BadMessage("a frame header longer than its message");
  const header = parseText(new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array(buffer, 4, length)));
  if (header.type !== "frame" || typeof header.viewport !== "string" || !Number.isInteger(header.index)) {
    throw new BadMessage("a binary message that is not a frame");
  }
  return { header, payload: new Uint8Array(buffer, 4 + length) };
}

/** One text message -> its object. */
export function parseText(text) {
  let message;
  try {
    message = JSON.parse(text);
  } catch {
    throw new BadMessage("a message that is not JSON");
  }
  if (typeof message !== "object" || message === null || typeof message.type !== "string") {
    throw new BadMessage("a message without a type");
  }
  return message;
}

const WINDOW = ["window_center", "window_width", "voi_lut_function"];
/** Fields that say the same thing in another way: setting the left ones takes the right ones back. */
const INSTEAD = [
  [["preset"], WINDOW],
  [WINDOW, ["preset"]],
  [["presentation_state"], [...WINDOW, "preset"]],
  [["frame"], ["sop_instance_uid", "frame_number"]],
  [["sop_instance_uid", "frame_number"], ["frame"]],
  [["stack"], ["frame", "sop_instance_uid", "frame_number", "mask"]],
  [["zoom"], ["pixel_spacing"]],
  [["pixel_spacing"], ["zoom"]],
];

/** A View (or a change of one) with newer changes laid over it. Neither argument is touched. */
export function mergedView(view, change) {
  const merged = { ...view };
  for (const [these, those] of INSTEAD) {
    if (!these.some((field) => field in change)) continue;
    for (const field of those) if (!(field in change)) delete merged[field];
  }
  return { ...merged, ...change };
}
