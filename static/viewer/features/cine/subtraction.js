// Subtraction of a mask from a clip, as changes of a View. The View's `mask` is sent whole: changes of one animation frame are
// merged field by field. Imports nothing.

const WINDOW = { window_center: null, window_width: null, voi_lut_function: null, preset: null };
const FARTHEST = 1000;

/** True where the stack that is shown can be subtracted. */
export const canSubtract = (viewport) => Array.isArray(viewport?.opened?.mask_frames) && viewport.frames > 1;

export const subtracts = (viewport) => Boolean(viewport?.wish.mask);

/** Begins or ends subtraction. Grey values and their differences have windows of their own. */
export function subtractPart(viewport) {
  const { wish } = viewport;
  const shown = Object.fromEntries(Object.keys(WINDOW).map((name) => [name, wish[name] ?? null]));
  const before = viewport.windowOf?.[wish.mask ? "plain" : "difference"] ?? WINDOW;
  viewport.windowOf = { ...viewport.windowOf, [wish.mask ? "difference" : "plain"]: shown };
  return { mask: wish.mask ? null : { frame: null, shift: null }, ...before };
}

/** The image that is shown becomes the mask. */
export function maskHerePart(viewport) {
  const { wish } = viewport;
  const begins = wish.mask ? {} : subtractPart(viewport);
  return { ...begins, mask: { frame: viewport.frame, shift: wish.mask?.shift ?? null } };
}

/** [x, y] of the mask's shift by now, in pixels of the image. */
export const shiftOf = ({ wish, header }) => wish.mask?.shift ?? header?.subtraction?.shift ?? [0, 0];

/** The mask moved by `by` pixels to where [right, down] of the screen points, also on a picture that is turned. */
export function shiftPart(viewport, [right, down], by) {
  const { wish, header } = viewport;
  const { across, down: below } = header?.placement ?? { across: [1, 0], down: [0, 1] };
  const now = shiftOf(viewport);
  const shift = now.map((value, axis) => {
    const moved = value + by * (right * Math.sign(across[axis]) + down * Math.sign(below[axis]));
    return Math.min(FARTHEST, Math.max(-FARTHEST, Math.round(moved * 100) / 100));
  });
  return { mask: { frame: wish.mask?.frame ?? null, shift } };
}

/** Back to where the file or the chosen frame has it. */
export const unshiftPart = ({ wish }) => ({ mask: { frame: wish.mask?.frame ?? null, shift: null } });
