// Arithmetic of points and directions, [x, y, z]. Imports nothing.

export const plus = (a, b, by = 1) => a.map((value, axis) => value + by * b[axis]);
export const minus = (a, b) => plus(a, b, -1);
export const times = (a, by) => a.map((value) => value * by);
export const dot = (a, b) => a.reduce((sum, value, axis) => sum + value * b[axis], 0);
export const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
export const unit = (a) => times(a, 1 / Math.hypot(...a));

/** `a` turned by `angle` (radians) about the unit vector `axis`, as a right hand's fingers go about its thumb. */
export function turned(a, axis, angle) {
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  return plus(plus(times(a, c), cross(axis, a), s), axis, dot(axis, a) * (1 - c));
}

/** {row, column} made square and of length 1 again: rounding must not add up over a thousand small turns. */
export function squared({ row, column }) {
  const right = unit(row);
  return { row: right, column: unit(plus(column, right, -dot(column, right))) };
}
