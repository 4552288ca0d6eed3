// The clip box on a volume picture: its edges, and six handles that move its faces.

import { onPane } from "../../plane.js";
import { t } from "../../../i18n.js";
import { keepOnly, part, tenth } from "../linking/svg.js";
import { boundsOf, edgesOf, faceMiddle, isWhole, withFace } from "./box.js";

const LAYER = "clip";
const FACING = 0.25;
const STEP = 2;
const EDGE = 12;
const KEYS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 };
const UNIT = [[1, 0, 0], [0, 1, 0], [0, 0, 1]];

/** Letters of the patient's ends: [least, greatest] of x, y, z. */
export const ENDS = [["R", "L"], ["A", "P"], ["F", "H"]];

/** The clip box of a pane, the whole volume where it has none; null where there is no volume picture. */
export function clipOf({ wish, opened }) {
  const bounds = wish.projection === "volume" ? boundsOf(opened?.geometry) : null;
  return bounds && { bounds, box: sorted(wish.clip) ?? bounds };
}
const sorted = (clip) => clip && [0, 1].map((side) => clip[0].map((value, axis) => Math[side ? "max" : "min"](value, clip[1][axis])));

export function setClip(viewport, box, bounds) {
  viewport.change({ clip: isWhole(box, bounds) ? null : box });
}

/** Draws the box where `wanted`, or takes it away. */
export function drawClip(viewport, wanted) {
  const layer = viewport.layer(LAYER);
  const names = new Set();
  const clip = wanted && viewport.header?.geometry && viewport.header.view.projection === "volume" ? clipOf(viewport) : null;
  if (clip) {
    const place = (point) => onPane(viewport.header, "patient", point, viewport.box);
    const path = edgesOf(clip.box).map((ends) => ends.map(place)).map(([a, b]) => `M${tenth(a.x)} ${tenth(a.y)}L${tenth(b.x)} ${tenth(b.y)}`);
    names.add("edges");
    part(layer, "edges", "path", { d: path.join(""), class: "clip-edges" });
    for (const face of facesOf(viewport, clip, place)) drawFace(layer, face, names);
  }
  keepOnly(layer, names);
}

/** The faces that can be moved on the glass: one that faces the reader moves towards nobody. */
function facesOf({ header, box }, clip, place) {
  const { row, column, pixel_spacing: spacing } = header.geometry;
  const scale = [box.width / header.columns / spacing[1], box.height / header.rows / spacing[0]];
  return UNIT.flatMap((unit, axis) => {
    const way = [unit, unit].map((one, at) => dot(one, at ? column : row) * scale[at]);
    if (Math.hypot(...way) < FACING * scale[0]) return [];
    return [0, 1].map((side) => ({ axis, side, at: within(place(faceMiddle(clip.box, axis, side)), box), value: clip.box[side][axis] }));
  });
}
/** A handle stays where a hand can reach it. */
const within = ({ x, y }, { width, height }) => ({ x: Math.min(width - EDGE, Math.max(EDGE, x)), y: Math.min(height - EDGE, Math.max(EDGE, y)) });
const dot = (a, b) => a.reduce((sum, value, at) => sum + value * b[at], 0);

function drawFace(layer, { axis, side, at, value }, names) {
  const name = `${axis}${side}`;
  names.add(name);
  const letter = ENDS[axis][side];
  const group = part(layer, name, "g", { class: "handle clip", "data-handle": "clip", "data-axis": axis, "data-side": side, tabindex: 0, role: "slider", "aria-label": t("Clip box, side {letter}", { letter }), "aria-valuenow": Math.round(value), "aria-valuetext": `${value.toFixed(0)} mm`, transform: `translate(${tenth(at.x)} ${tenth(at.y)})` });
  if (group.childElementCount) return;
  part(group, "grip", "circle", { class: "grip", r: 14 });
  part(group, "nub", "circle", { class: "nub", r: 6 });
}

/** Listens to the handles of a pane, once. */
export function takeClip(viewport) {
  const layer = viewport.layer(LAYER);
  const faceOf = (event) => {
    const handle = event.target.closest("[data-handle=clip]");
    return handle && { axis: Number(handle.dataset.axis), side: Number(handle.dataset.side) };
  };
  layer.addEventListener("pointerdown", (event) => {
    const face = faceOf(event);
    if (!face || event.button) return;
    event.preventDefault();
    event.stopPropagation();
    const move = moving(viewport, face, event);
    const follow = (one) => one.pointerId === event.pointerId && move(one);
    const stop = (one) => {
      if (one.pointerId !== event.pointerId) return;
      window.removeEventListener("pointermove", follow, true);
      for (const name of ["pointerup", "pointercancel"]) window.removeEventListener(name, stop, true);
    };
    window.addEventListener("pointermove", follow, true);
    for (const name of ["pointerup", "pointercancel"]) window.addEventListener(name, stop, true);
  });
  layer.addEventListener("keydown", (event) => {
    const face = faceOf(event);
    const clip = clipOf(viewport);
    if (!face || !clip || !KEYS[event.key] || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    const far = KEYS[event.key] * STEP * (event.shiftKey ? 5 : 1);
    setClip(viewport, withFace(clip.box, face.axis, face.side, clip.box[face.side][face.axis] + far, clip.bounds), clip.bounds);
  });
}

/** A face follows the pointer along its own axis as it is seen. */
function moving(viewport, { axis, side }, from) {
  const { box, bounds } = clipOf(viewport);
  const { header, box: pane } = viewport;
  const { row, column, pixel_spacing: spacing } = header.geometry;
  const way = [dot(UNIT[axis], row) * (pane.width / header.columns / spacing[1]), dot(UNIT[axis], column) * (pane.height / header.rows / spacing[0])];
  const long = dot(way, way);
  return (event) => {
    const moved = [event.clientX - from.clientX, event.clientY - from.clientY];
    setClip(viewport, withFace(box, axis, side, box[side][axis] + dot(moved, way) / long, bounds), bounds);
  };
}
