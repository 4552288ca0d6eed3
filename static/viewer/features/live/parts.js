// Panes as cells of a live session, and cells as what to ask of a pane. A part of a View is told whole: what the reader wants to
// see by now, null where the server chooses. Images go by their SOP Instance UID; by their place in the stack only while nothing
// else is known of them, and only to who holds the same version of the series.

import { reformatted } from "../../space.js";

export const PARTS = {
  place: ["stack", "plane", "frame", "sop_instance_uid", "frame_number", "center", "projection", "slab_thickness", "volume_preset", "clip"],
  window: ["window_center", "window_width", "voi_lut_function", "preset"],
  zoom: ["zoom", "pixel_spacing", "pan"],
  turn: ["rotation", "flip_horizontal", "flip_vertical"],
  grey: ["inverted", "color_map"],
  layers: ["fusion", "mask", "overlays", "presentation_state", "segmentations"],
};
/** Parts that the server fills in where they leave something to it. */
export const FILLED = ["place", "window"];
const IMAGE = ["frame", "sop_instance_uid", "frame_number"];
export const namesWindow = (view) => PARTS.window.some((field) => (view[field] ?? null) !== null);
/** These make other grey values, for which the server finds another window. */
const OTHER_GREYS = ["mask", "presentation_state"];

export const othersGreys = (change) => OTHER_GREYS.some((field) => field in change);

/** Names of the parts that a change of a View touches. */
export function touched(change) {
  const names = Object.keys(PARTS).filter((name) => PARTS[name].some((field) => field in change));
  return othersGreys(change) && !names.includes("window") ? [...names, "window"] : names;
}

/** The cell of a pane itself: which series stands in it; null where none does. */
export function paneCell({ source, study }) {
  if (!source) return null;
  return { series: source.series.series_instance_uid, organization: study.organization, study: study.study_instance_uid };
}

/** The cell of a part of what a pane shows. @param chosen whether its window was named by somebody: one that each image has of its
 *  own is left to the server */
export function partCell(viewport, name, chosen = true) {
  const { wish, opened, source } = viewport;
  const own = name === "window" && !chosen && opened?.stacks?.find(({ stack }) => stack === (wish.stack ?? 0))?.one_window === false;
  const view = Object.fromEntries(PARTS[name].map((field) => [field, own ? null : (wish[field] ?? null)]));
  if (name === "place" && reformatted(wish)) for (const field of IMAGE) view[field] = null;
  if (view.preset) for (const field of ["window_center", "window_width", "voi_lut_function"]) view[field] = null;
  if (view.zoom && view.pixel_spacing) view.pixel_spacing = null;
  const version = opened?.series_version;
  return { series: source.series.series_instance_uid, view, ...(name === "place" && version ? { series_version: String(version) } : {}) };
}

/** {name: cell} of a pane and all its parts. */
export function cellsOf(viewport, index, chosen) {
  const cell = paneCell(viewport);
  const parts = cell ? Object.keys(PARTS).map((name) => [`${index}.${name}`, partCell(viewport, name, chosen)]) : [];
  return { [index]: cell, ...Object.fromEntries(parts) };
}

const empty = (value) => value === null || value === undefined || value === false || value === 0 || (Array.isArray(value) && !value.length);
const same = (one, other) => (empty(one) && empty(other)) || JSON.stringify(one ?? null) === JSON.stringify(other ?? null);

/** What to ask of a pane so that it shows what a part says; {} where it does already. */
export function wanted(viewport, name, { view, series_version: version }, chosen = true) {
  const { wish } = viewport;
  if (name === "window" && !chosen && !namesWindow(view)) return {};
  const part = Object.fromEntries(Object.entries(view).filter(([field, value]) => !same(value, wish[field])));
  if (name !== "place" || reformatted(view)) return part;
  for (const field of IMAGE) delete part[field];
  return { ...part, ...image(viewport, view, String(viewport.opened?.series_version) === version) };
}

function image({ wish, frame }, view, alike) {
  const place = alike && Number.isInteger(view.frame) ? { frame: view.frame } : {};
  if (!view.sop_instance_uid) return place.frame === undefined || place.frame === frame ? {} : place;
  const there = wish.sop_instance_uid === view.sop_instance_uid && (wish.frame_number ?? 1) === (view.frame_number ?? 1);
  return there ? {} : { sop_instance_uid: view.sop_instance_uid, frame_number: view.frame_number ?? 1, ...place };
}

/** The View that a pane's cells ask for, to open its series with. */
export function viewOf(cells, index) {
  const parts = Object.keys(PARTS).map((name) => cells[`${index}.${name}`]?.view ?? {});
  return Object.fromEntries(Object.entries(Object.assign({}, ...parts)).filter(([, value]) => value !== null));
}
