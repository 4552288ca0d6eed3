// Planes, slabs and turns as parts of a View: what to ask for, so that the reader stays at the same place of the patient.
// Coordinates are LPS mm; a plane is {row, column}, the directions of a picture's rows and columns. Imports only words.

import { t } from "../i18n.js";

export const PLANES = {
  axial: { row: [1, 0, 0], column: [0, 1, 0] },
  coronal: { row: [1, 0, 0], column: [0, 0, -1] },
  sagittal: { row: [0, 1, 0], column: [0, 0, -1] },
};
export const SLABS = [5, 10, 20, 40];
const USUAL_SLAB = 10;
const UPRIGHT = { pan: [0, 0], zoom: 1, rotation: 0, flip_horizontal: false, flip_vertical: false };

const plus = (a, b, by = 1) => a.map((value, axis) => value + by * b[axis]);
const dot = (a, b) => a.reduce((sum, value, axis) => sum + value * b[axis], 0);
const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
const unit = (a) => a.map((value) => value / Math.hypot(...a));

// --- what a View shows

/** True for a picture along another plane than the stack's own. */
export const reformatted = (view) => (view.plane ?? "acquired") !== "acquired";

/** True for a picture of the whole volume, which has no place to scroll to and is turned instead. */
export const whole = (view) => view.projection === "volume" || (view.slab_thickness === "all" && (view.projection ?? "slice") !== "slice");

/** {row, column} of a View's plane; those of its picture's stack where it is the acquired one. */
export function directions(view, header = null) {
  if (typeof view.plane === "object" && view.plane) return view.plane;
  if (PLANES[view.plane]) return PLANES[view.plane];
  const { geometry } = header ?? {};
  return geometry ? { row: upright(geometry, view).row, column: upright(geometry, view).column } : null;
}

/** The header's geometry is that of the picture as it is turned and flipped: back to how the plane itself lies. */
function upright({ row, column }, { rotation = 0, flip_horizontal = false, flip_vertical = false }) {
  let right = flip_horizontal ? row.map((value) => -value) : row;
  let down = flip_vertical ? column.map((value) => -value) : column;
  for (let turned = 0; turned < rotation; turned += 90) [right, down] = [down, right.map((value) => -value)];
  return { row: right, column: down };
}

export const normalOf = ({ row, column }) => cross(row, column);

/** The point in the middle of a painted picture; null where it has no place in the patient. */
export function middleOf(header) {
  const { geometry, rows, columns } = header ?? {};
  if (!geometry) return null;
  const along = plus(geometry.top_left, geometry.row, (geometry.pixel_spacing[1] * (columns - 1)) / 2);
  return plus(along, geometry.column, (geometry.pixel_spacing[0] * (rows - 1)) / 2);
}

/** A point of a volume, from the geometry of `series.opened` and the place along each axis of its grid. */
function pointAt({ origin, steps, shape }, placeOf) {
  return steps.reduce((point, step, axis) => plus(point, step, placeOf(shape[axis])), origin);
}
const heartOf = (geometry) => pointAt(geometry, (count) => (count - 1) / 2);
/** The voxel in the middle: a plane through it interpolates nothing across slices. */
const middleVoxel = (geometry) => pointAt(geometry, (count) => Math.floor(count / 2));

/** The point that the reader has scrolled to in all directions: what was known of it (`spot`), moved onto the plane that a
 *  picture shows. Pictures of the whole volume leave it where it is. null where there is no volume. */
export function spotOf({ view, header, opened, spot = null }) {
  if (!opened?.geometry?.origin) return null;
  const from = spot ?? middleVoxel(opened.geometry);
  const on = view.center ?? middleOf(header);
  const plane = directions(view, header);
  if (whole(view) || !on || !plane) return from;
  const normal = normalOf(plane);
  return plus(from, normal, dot(plus(on, from, -1), normal));
}

/** A point in the plane through the spot, from where the whole picture fits. */
export function centerOf({ row, column }, spot, geometry) {
  if (!spot) return null;
  const normal = cross(row, column);
  const heart = heartOf(geometry);
  return plus(heart, normal, dot(plus(spot, heart, -1), normal));
}

// --- what to ask for

/** Another plane through the spot; the stack at the image of the spot, else where the reader left it (`stackFrame`). */
export function planePart(name, { view, header, opened, spot = null, stackFrame = null }) {
  const here = spotOf({ view, header, opened, spot });
  if (name !== "acquired") return { ...UPRIGHT, plane: name, center: whole(view) ? null : centerOf(PLANES[name], here, opened?.geometry) };
  const slab = whole(view) ? { projection: "slice", slab_thickness: 0 } : {};
  const frame = frameAt(opened?.geometry, here, opened?.frames) ?? stackFrame;
  return { ...UPRIGHT, plane: "acquired", center: null, ...slab, ...(frame === null ? {} : { frame }) };
}

/** Another projection of what is there; the whole volume is left for its plane through the spot. */
export function projectionPart(name, { view, spot = null, opened = null }) {
  const plane = whole(view) ? directions(view) : null;
  const back = plane ? { center: centerOf(plane, spot, opened?.geometry) } : {};
  if (name === "slice") return { ...back, projection: "slice", slab_thickness: 0 };
  const thickness = Number.isFinite(view.slab_thickness) && view.slab_thickness > 0 ? view.slab_thickness : USUAL_SLAB;
  return { ...back, projection: name, slab_thickness: thickness };
}

/** Thicker (1) or thinner (-1), by the steps of the menu; a slice becomes the thinnest MIP. */
export function slabPart(by, view) {
  if (whole(view)) return null;
  const now = (view.projection ?? "slice") === "slice" ? 0 : view.slab_thickness;
  const next = by > 0 ? SLABS.find((one) => one > now) : SLABS.findLast((one) => one < now);
  if (next) return { projection: now ? view.projection : "mip", slab_thickness: next };
  return by < 0 && now ? projectionPart("slice", { view }) : null;
}

/** The whole volume, seen from where the reader looks already, else from the front. */
export function wholePart(part, view) {
  const seen = whole(view) ? {} : { ...UPRIGHT, plane: "coronal" };
  return { ...seen, slab_thickness: "all", center: null, ...part };
}
export const turningPart = (view) => wholePart({ projection: "mip" }, view);
export const volumePart = (name, view) => wholePart({ projection: "volume", volume_preset: name }, view);

const WINDOW = ["window_center", "window_width", "voi_lut_function"];

/** The window of a View as a part of one: the name of a preset, or numbers. */
export function windowPart(view) {
  if (view.preset) return { preset: view.preset };
  return Object.fromEntries(WINDOW.map((field) => [field, view[field] ?? null]));
}

/** Everything back but the kind of picture and the place in the patient; a turned plane back to the front. */
export function resetPart({ view, header, opened, spot = null }) {
  if (!reformatted(view)) return {};
  const plane = typeof view.plane === "object" ? "coronal" : view.plane;
  const here = whole(view) ? null : spotOf({ view, header, opened, spot });
  return { plane, center: centerOf(PLANES[plane], here, opened?.geometry) };
}

/** The frame of the stack nearest to a point; null where frames are not the slices of the volume, one by one. */
function frameAt(geometry, point, frames) {
  const { origin, steps, shape } = geometry ?? {};
  if (!point || !origin || !steps || shape?.[0] !== frames) return null;
  const across = cross(steps[1], steps[2]);
  const place = dot(plus(point, origin, -1), across) / dot(steps[0], across);
  return Math.min(frames - 1, Math.max(0, Math.round(place)));
}

// --- along the normal

/** {at, count}: which of how many places along its normal a reformat shows, by the newest wish; null when it has none, or
 *  while no picture of this plane has come. */
export function along(view, header) {
  const { depth } = header ?? {};
  const same = JSON.stringify(view.plane) === JSON.stringify(header?.view.plane);
  if (!depth || !reformatted(view) || whole(view) || !same) return null;
  const at = Math.round((depth.position + movedFrom(view, header) - depth.first) / depth.step);
  return { at: Math.min(depth.count - 1, Math.max(0, at)), count: depth.count };
}

/** mm along the normal between the painted picture and the wish. */
function movedFrom(view, { depth, view: { center } }) {
  return view.center && center ? dot(plus(view.center, center, -1), depth.direction) : 0;
}

/** The part of a View that shows place `at` of `along`. */
export function placePart(at, view, header) {
  const { direction, first, step, position } = header.depth;
  const far = first + at * step - position - movedFrom(view, header);
  return { center: plus(view.center ?? header.view.center, direction, far) };
}

// --- turning

const DEGREES_PER_PIXEL = 0.4;

/** A way on the screen as a way along the plane's own row and column, before rotation and flips. */
export function unturned([right, down], { rotation = 0, flip_horizontal = false, flip_vertical = false }) {
  let [x, y] = [flip_horizontal ? -right : right, flip_vertical ? -down : down];
  for (let turned = 0; turned < rotation; turned += 90) [x, y] = [y, -x];
  return [x, y];
}

/** The plane after what is shown was turned by hand: its front follows (x, y) CSS pixels along row and column. */
export function turnedPlane({ row, column }, [x, y], degreesPerPixel = DEGREES_PER_PIXEL) {
  const far = Math.hypot(x, y);
  if (!far) return { row, column };
  const angle = (far * degreesPerPixel * Math.PI) / 180;
  const [a, b] = [x / far, y / far];
  const ahead = plus(row.map((value) => value * a), column, b);
  const aside = plus(row.map((value) => value * -b), column, a);
  const turned = plus(ahead.map((value) => value * Math.cos(angle)), normalOf({ row, column }), -Math.sin(angle));
  const newRow = unit(plus(turned.map((value) => value * a), aside, -b));
  const newColumn = plus(turned.map((value) => value * b), aside, a);
  return { row: newRow, column: unit(plus(newColumn, newRow, -dot(newColumn, newRow))) };
}

/** The part of a View whose plane was turned from `from`: at the same scale, though the volume fits the pane differently now. */
export function turnPart(from, way, view, opened, degreesPerPixel = DEGREES_PER_PIXEL) {
  const plane = turnedPlane(from, way, degreesPerPixel);
  return { plane, ...sameScale(from, plane, view, opened) };
}

/** The zoom that keeps the scale when a View goes from one plane to another, as a part of it; {} where that is not known. */
export function sameScale(from, to, view, opened) {
  const [before, after] = [from, to].map((one) => fittedPixel(one, view, opened?.geometry));
  return Number.isFinite(view.zoom) && before && after ? { zoom: (view.zoom * after) / before } : {};
}

/** mm of a pixel at zoom 1, where the box of the volume just fits the viewport; 0 when unknown. */
function fittedPixel({ row, column }, { size, rotation = 0 }, geometry) {
  if (!geometry?.steps || !size) return 0;
  const reach = (way) => geometry.steps.reduce((sum, step, axis) => sum + Math.abs(dot(step, way)) * geometry.shape[axis], 0);
  const [tall, wide] = rotation % 180 ? [reach(row), reach(column)] : [reach(column), reach(row)];
  return Math.max(tall / size[0], wide / size[1]);
}

// --- words

const PLANE_NAMES = { axial: t("Axial"), coronal: t("Coronal"), sagittal: t("Sagittal") };
const NAMES = { mip: "MIP", minip: "MinIP", mean: t("mean") };
const capital = (text) => text[0].toUpperCase() + text.slice(1);

/** "Coronal", "Oblique"; "" for the stack as it was acquired. */
export function planeWords(view) {
  if (!reformatted(view)) return "";
  return typeof view.plane === "object" ? t("Oblique") : (PLANE_NAMES[view.plane] ?? capital(view.plane));
}

/** "MIP 20 mm", "MIP of the whole volume", "Volume, bone"; "" for a slice. */
export function projectionWords(view) {
  if (view.projection === "volume") return [t("Volume"), view.volume_preset].filter(Boolean).join(", ");
  const name = NAMES[view.projection];
  if (!name) return "";
  if (view.slab_thickness === "all") return t("{name} of the whole volume", { name });
  return view.slab_thickness > 0 ? `${name} ${Number(view.slab_thickness.toPrecision(4))} mm` : name;
}
