// The three planes of the crosshair: how they turn together, and which of them a picture shows. LPS; pure.

import { normalOf, PLANES } from "../../space.js";
import { cross, dot, squared, turned, unit } from "./vector.js";

export const NAMES = ["axial", "coronal", "sagittal"];
const SAME = 1 - 1e-5;

export const orthogonal = () => Object.fromEntries(NAMES.map((name) => [name, PLANES[name]]));

/** The named plane that lies nearest to a plane; "" without one. */
export function planeName(plane) {
  if (!plane) return "";
  const normal = normalOf(plane);
  return NAMES.reduce((best, name) => (steepness(normal, name) > steepness(normal, best) + 1e-6 ? name : best));
}
const steepness = (normal, name) => Math.abs(dot(normal, normalOf(PLANES[name])));

/** Which of the three planes a plane is; null when none of them. */
export function roleOf(planes, plane) {
  return plane ? (NAMES.find((name) => Math.abs(dot(normalOf(planes[name]), normalOf(plane))) > SAME) ?? null) : null;
}

/** The three planes after all but `still` were turned by `angle` (radians) about the normal of `still`. */
export function turnedPlanes(planes, still, angle) {
  const axis = unit(normalOf(planes[still]));
  return Object.fromEntries(
    NAMES.map((name) => {
      if (name === still) return [name, planes[name]];
      const { row, column } = planes[name];
      return [name, squared({ row: turned(row, axis, angle), column: turned(column, axis, angle) })];
    }),
  );
}

/** A plane as a View names it: one of the patient by its name, so that its words come back with it. */
export function viewPlane({ row, column }) {
  const named = NAMES.find((name) => dot(row, PLANES[name].row) > 1 - 1e-9 && dot(column, PLANES[name].column) > 1 - 1e-9);
  return named ?? { row, column };
}

/** The unit direction in which two planes cross; null where they are parallel. */
export function crossDirection(one, other) {
  const along = cross(normalOf(one), normalOf(other));
  return Math.hypot(...along) > 1e-3 ? unit(along) : null;
}

/** The two of the three planes that cut a picture best. */
export function cutting(planes, plane) {
  const normal = normalOf(plane);
  const byCut = [...NAMES].sort((a, b) => Math.abs(dot(normalOf(planes[a]), normal)) - Math.abs(dot(normalOf(planes[b]), normal)));
  return byCut.slice(0, 2);
}
