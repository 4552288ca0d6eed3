// Where a pane stands in the patient: its frame of reference, the direction in which it is scrolled, and how far along that it
// is by the newest wish. mm, LPS.

import { imageToPicture, pictureToPatient } from "../../plane.js";
import { directions, middleOf, normalOf, reformatted, whole } from "../../space.js";
import { dot, plus, times, unit } from "./vector.js";

const ALIKE = Math.cos((15 * Math.PI) / 180);

/** The row of `series.opened` about the stack that a pane shows. */
export function stackOf({ opened, wish }) {
  return opened?.stacks?.find(({ stack }) => stack === (wish?.stack ?? 0)) ?? null;
}

/** What panes must have in common to lie in one space: the file's frame of reference, else the series alone. "" for none. */
export function spaceOf(viewport) {
  const { header, opened, source } = viewport;
  if (!header?.geometry) return "";
  return stackOf(viewport)?.frame_of_reference_uid || opened?.geometry?.frame_of_reference_uid || `series ${source?.series.series_instance_uid}`;
}

/** Normals as stacks run: to the feet, to the back, to the left. */
function downwards(normal) {
  const axis = [0, 1, 2].reduce((best, one) => (Math.abs(normal[one]) > Math.abs(normal[best]) + 1e-9 ? one : best), 0);
  const away = normal[axis] * (axis === 2 ? -1 : 1);
  return away < 0 ? times(normal, -1) : normal;
}

/** {space, direction, along, point, places, kind}: `along` is mm of the wished plane along `direction`; `point` lies in the middle
 *  of it. `kind` is "plane" for a reformat, "stack" for acquired images with places, "bare" for images without, "whole" for
 *  pictures of the whole volume. null while nothing is shown. */
export function standingOf(viewport) {
  const { header, wish } = viewport;
  if (!header || viewport.state !== "shown") return null;
  if (whole(wish)) return { kind: "whole", space: spaceOf(viewport) };
  const plane = reformatted(wish) ? directions(wish, header) : null;
  if (plane) return planeStanding(viewport, plane);
  const places = stackOf(viewport)?.places ?? null;
  if (!places || reformatted(wish)) return { kind: "bare", space: spaceOf(viewport), frames: viewport.frames };
  const along = placeOf(places, viewport.frame);
  const middle = middleOf(header);
  const point = middle && plus(middle, places.direction, along - dot(middle, places.direction));
  return { kind: "stack", space: spaceOf(viewport), direction: places.direction, along, point, places, frames: viewport.frames };
}

function planeStanding(viewport, plane) {
  const { header, wish } = viewport;
  const point = wish.center ?? header.view.center ?? middleOf(header);
  const direction = downwards(unit(normalOf(plane)));
  return { kind: "plane", space: spaceOf(viewport), direction, along: point ? dot(point, direction) : 0, point, plane };
}

/** mm of a frame along its stack. */
export const placeOf = (places, frame) => (places.mm ? places.mm[Math.min(places.mm.length - 1, Math.max(0, frame))] : places.first + frame * places.step);

/** The frame nearest to `mm` along the stack, and how far it is away from it. */
export function nearest(places, frames, mm) {
  let frame = 0;
  if (places.mm) {
    places.mm.forEach((one, at) => {
      if (Math.abs(one - mm) < Math.abs(places.mm[frame] - mm)) frame = at;
    });
  } else if (places.step) frame = Math.round((mm - places.first) / places.step);
  frame = Math.min(frames - 1, Math.max(0, frame));
  return { frame, away: Math.abs(placeOf(places, frame) - mm) };
}

/** True for planes that are scrolled in the same direction of the patient. */
export const parallel = (one, other) => Boolean(one?.direction && other?.direction) && dot(one.direction, other.direction) > ALIKE;

export const sameSpace = (one, other) => Boolean(one?.space) && one.space === other?.space;

/** Like a header: {geometry, rows, columns} of the whole acquired image, however much of it is in sight; of a reformat, of
 *  the picture. null where it has no place. */
export function extentOf({ header, source }) {
  if (!header?.geometry) return null;
  const { rows, columns } = source?.stack ?? {};
  if (!header.placement || !rows || !columns) return header;
  const [a, b] = [[0, 0], [columns - 1, rows - 1]].map((at) => imageToPicture(header, at));
  const first = [0, 1].map((axis) => Math.min(a[axis], b[axis]));
  const last = [0, 1].map((axis) => Math.max(a[axis], b[axis]));
  return {
    geometry: { ...header.geometry, top_left: pictureToPatient(header, first) },
    columns: last[0] - first[0] + 1,
    rows: last[1] - first[1] + 1,
  };
}

/** The same extent at another frame of its stack; a stack of a tilted gantry leans. null where frames have no places. */
export function extentAt(viewport, frame) {
  const here = extentOf(viewport);
  const { header, opened } = viewport;
  const places = stackOf(viewport)?.places;
  if (!here || !places || !Number.isInteger(header.view.frame)) return null;
  const far = placeOf(places, frame) - placeOf(places, header.view.frame);
  return { ...here, geometry: { ...here.geometry, top_left: plus(here.geometry.top_left, wayAlong(places, opened), far) } };
}

/** The way from image to image for each mm along the normal. */
function wayAlong({ direction }, opened) {
  const step = opened?.geometry?.steps?.[0];
  const along = step ? dot(step, direction) : 0;
  const leans = Math.abs(along) > 1e-6 && dot(unit(step), direction) > 0.5;
  return leans ? times(step, 1 / along) : direction;
}
