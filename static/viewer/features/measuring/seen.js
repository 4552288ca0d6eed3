// Which measurements lie on a painted picture, and where: from the header of the frame that is on the glass alone, so that
// drawing and pixels cannot disagree.

import { anchored, imageToPicture, onPane, paneToPicture, patientToPicture, pictureToPane, pictureToPatient } from "../../plane.js";
import { PLANES, whole } from "../../space.js";

const NEARLY = 1e-3;

/** CSS pixels of the painted picture, over which its pixels are stretched: of the size it was drawn for, not of a pane that
 *  has another size by now. */
export function glassOf(header, ratio = globalThis.devicePixelRatio || 1) {
  const [rows, columns] = header.view.size ?? [header.rows, header.columns];
  return { width: columns / ratio, height: rows / ratio };
}

const sameImage = (mark, { view }) =>
  Boolean(mark.sop_instance_uid) && mark.sop_instance_uid === view.sop_instance_uid && (mark.frame_number ?? 1) === (view.frame_number ?? 1);

/** What `series.opened` tells of the stack that is on the glass. */
const stackOf = ({ stack, view }, opened) => opened?.stacks?.find((one) => one.stack === (stack ?? view.stack ?? 0)) ?? null;

/** mm from an acquired frame to the nearer of its neighbours; 0 where that is not known. */
function stepOf({ view }, { places } = {}) {
  if (!places) return 0;
  if (!places.mm) return Math.abs(places.step ?? 0);
  const at = view.frame ?? 0;
  const gaps = [at - 1, at + 1].map((other) => Math.abs(places.mm[other] - places.mm[at])).filter((gap) => gap > 0);
  return gaps.length ? Math.min(...gaps) : 0;
}

/** mm in front of and behind a picture's plane that still count as lying in it: half the way to the next one, or half the slab. */
export function reachOf(header, opened) {
  const { view, depth } = header;
  const slab = (view.projection ?? "slice") !== "slice" && Number.isFinite(view.slab_thickness) ? view.slab_thickness : 0;
  const acquired = (view.plane ?? "acquired") === "acquired";
  const step = acquired ? stepOf(header, stackOf(header, opened) ?? {}) : (depth?.step ?? 0);
  return Math.max(slab, step) / 2 + NEARLY;
}

/** Whether LPS points mean the same place here: by Frame of Reference UID; without one only within their own stack. */
function sameSpace(mark, header, opened) {
  const known = stackOf(header, opened)?.frame_of_reference_uid;
  if (known) return known === mark.frame_of_reference_uid;
  return !mark.frame_of_reference_uid && mark.series_instance_uid === header.view.series && (mark.stack ?? 0) === (header.stack ?? 0);
}

/** The frame of reference of what a pane shows; "" where it shares none. */
export const referenceOf = (header, opened) => stackOf(header, opened)?.frame_of_reference_uid ?? "";

/** {points: [{x, y, off}], solid} of a measurement on a picture; null where it is not on it. `solid`: all of it lies in the
 *  picture; else it crosses it.
 *  @param picture {header, opened, glass}; glass is that of `glassOf` */
export function place(mark, { header, opened, glass }) {
  if (!header || whole(header.view) || !mark.points.length) return null;
  if (mark.space === "image") {
    if (!sameImage(mark, header)) return null;
    const points = mark.points.map((point) => onPane(header, "image", point, glass));
    return points.every(Boolean) ? { points, solid: true } : null;
  }
  if (!header.geometry) return null;
  const here = sameImage(mark, header);
  if (!here && !sameSpace(mark, header, opened)) return null;
  const points = mark.points.map((point) => onPane(header, "patient", point, glass));
  const reach = reachOf(header, opened);
  const offs = points.map(({ off }) => off);
  if (here || offs.every((off) => Math.abs(off) <= reach)) return { points, solid: true };
  if (Math.min(...offs) > reach || Math.max(...offs) < -reach) return null;
  return { points, solid: false };
}

/** {x, y}: the way on the pane of one side of a rectangle that was set on a View's plane; null: along the picture's own sides. */
export function axisOf(mark, { header, opened, glass }) {
  if (mark.space === "image") {
    const [from, to] = [[0, 0], [1, 0]].map((point) => imageToPicture(header, point)).map((at) => at && pictureToPane(header, at, glass));
    return from && to ? { x: to.x - from.x, y: to.y - from.y } : null;
  }
  const plane = mark.view?.plane ?? "acquired";
  const own = mark.series_instance_uid === header.view.series;
  const row = typeof plane === "object" ? plane.row : (PLANES[plane]?.row ?? (own ? opened?.geometry?.steps?.[2] : null));
  if (!row || !header.geometry) return null;
  const origin = header.geometry.top_left;
  const [from, to] = [origin, origin.map((value, axis) => value + row[axis])].map((point) => onPane(header, "patient", point, glass));
  return { x: to.x - from.x, y: to.y - from.y };
}

/** What a point of the pane is kept as on this picture: {space, point}; null on a picture of the whole volume. */
export const kept = (header, at, glass) => (whole(header.view) ? null : anchored(header, at, glass));

/** {x, y} of a kept point on this picture, or null. */
export const shownAt = (header, space, point, glass) => onPane(header, space, point, glass);

/** True when all of these kept points lie in the plane of the picture itself, so that a hand may change them there. */
export function liesIn(mark, header) {
  if (mark.space === "image") return sameImage(mark, header);
  if (!header.geometry) return false;
  return mark.points.every((point) => Math.abs(patientToPicture(header, point).off) < 0.25);
}

/** A kept point after what is drawn was moved by {x, y} on the pane: it keeps its distance to the picture's plane. */
export function shifted(header, space, point, by, glass) {
  const [from, to] = [{ x: 0, y: 0 }, by].map((at) => paneToPicture(header, at, glass));
  if (space === "image") {
    const at = imageToPicture(header, point);
    return anchoredPicture(header, [at[0] + to[0] - from[0], at[1] + to[1] - from[1]]);
  }
  const [a, b] = [from, to].map((at) => pictureToPatient(header, at));
  return point.map((value, axis) => value + b[axis] - a[axis]);
}

function anchoredPicture({ placement: { first, across, down } }, [column, row]) {
  return first.map((value, axis) => value + column * across[axis] + row * down[axis]);
}

/** Where kept points lie in pixels of the picture: what the server measures on; LPS points go as they are. */
export const measurable = (header, space, points) => (space === "image" ? points.map((point) => imageToPicture(header, point)) : points);

/** The part of a View that shows a measurement in its series. */
export function viewOf(mark) {
  const { plane = "acquired", center } = mark.view ?? {};
  if (plane !== "acquired") return { plane, center: center ?? middleOf(mark) };
  return mark.sop_instance_uid ? { plane, sop_instance_uid: mark.sop_instance_uid, frame_number: mark.frame_number ?? 1 } : { plane };
}

/** The middle of what is drawn, LPS mm; null for points of an image. */
export function middleOf({ space, points }) {
  if (space === "image" || !points.length) return null;
  return points[0].map((_, axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length);
}
