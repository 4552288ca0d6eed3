// The clip box of a volume picture: along the patient's axes, LPS mm. Pure.

const AXES = [0, 1, 2];

/** [[least x, y, z], [greatest]] of a volume, from the geometry of `series.opened`; its outermost voxels reach half a voxel
 *  further than their centres. null without a volume. */
export function boundsOf(geometry) {
  if (!geometry?.origin) return null;
  const { origin, steps, shape } = geometry;
  const [low, high] = [[...origin], [...origin]];
  steps.forEach((step, way) => {
    for (const axis of AXES) {
      const ends = [-0.5, shape[way] - 0.5].map((place) => step[axis] * place);
      low[axis] += Math.min(...ends);
      high[axis] += Math.max(...ends);
    }
  });
  return [low, high];
}

/** A box of `size` mm about a point, no larger than the bounds. */
export function boxAround(point, size, [low, high]) {
  return [
    AXES.map((axis) => Math.min(high[axis], Math.max(low[axis], point[axis] - size / 2))),
    AXES.map((axis) => Math.max(low[axis], Math.min(high[axis], point[axis] + size / 2))),
  ];
}

const THINNEST = 5;

/** The box with one face moved to `value`; faces never meet, and never leave the bounds. */
export function withFace(box, axis, side, value, bounds) {
  const moved = box.map((corner) => [...corner]);
  const other = box[1 - side][axis];
  const [least, most] = side ? [other + THINNEST, bounds[1][axis]] : [bounds[0][axis], other - THINNEST];
  moved[side][axis] = Math.min(most, Math.max(least, value));
  return moved;
}

/** The middle of a face. */
export function faceMiddle(box, axis, side) {
  return AXES.map((one) => (one === axis ? box[side][axis] : (box[0][one] + box[1][one]) / 2));
}

/** Twelve edges as pairs of points. */
export function edgesOf(box) {
  const corners = Array.from({ length: 8 }, (_, bits) => AXES.map((axis) => box[(bits >> axis) & 1][axis]));
  return corners.flatMap((corner, bits) => AXES.filter((axis) => !((bits >> axis) & 1)).map((axis) => [corner, corners[bits | (1 << axis)]]));
}

/** True for a box that cuts nothing away. */
export const isWhole = (box, bounds) => !box || AXES.every((axis) => box[0][axis] <= bounds[0][axis] + 0.01 && box[1][axis] >= bounds[1][axis] - 0.01);
