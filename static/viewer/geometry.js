// Numbers only: directions, scale bars, window, zoom and pan arithmetic. Coordinates are LPS mm. Imports nothing.

const LETTERS = [
  ["L", "R"],
  ["P", "A"],
  ["H", "F"],
];
const WORTH_A_LETTER = 0.1;

/** Letters of a direction in LPS, the strongest first: [1,0,0] -> "L"; [0,0.95,-0.32] -> "PF". "" without a direction. */
export function orientationLetters(direction) {
  if (!Array.isArray(direction) || direction.length !== 3 || !direction.every(Number.isFinite)) return "";
  return direction
    .map((value, axis) => ({ size: Math.abs(value), letter: LETTERS[axis][value < 0 ? 1 : 0] }))
    .filter(({ size }) => size > WORTH_A_LETTER)
    .sort((a, b) => b.size - a.size)
    .map(({ letter }) => letter)
    .join("");
}

/** What lies beyond each side of the picture, from the header's geometry; null without geometry. */
export function sides(geometry) {
  if (!geometry?.row || !geometry?.column) return null;
  const opposite = (direction) => direction.map((value) => -value);
  return {
    left: orientationLetters(opposite(geometry.row)),
    right: orientationLetters(geometry.row),
    top: orientationLetters(opposite(geometry.column)),
    bottom: orientationLetters(geometry.column),
  };
}

const OPPOSITE = { L: "R", R: "L", A: "P", P: "A", H: "F", F: "H" };
const opposed = (letters) => [...letters].map((letter) => OPPOSITE[letter]).join("");

/** The same from Patient Orientation (0020,0020), "A\F": what lies at the right and at the bottom of the stored picture, carried
 *  through the View's rotation and flips. null when it says nothing about people ("CD\V" of an animal). */
export function sidesStored(orientation, { rotation = 0, flip_horizontal = false, flip_vertical = false } = {}) {
  const [right, bottom, ...more] = String(orientation ?? "").split("\\");
  if (more.length || ![right, bottom].every((letters) => /^[LRAPHF]{1,3}$/.test(letters ?? ""))) return null;
  const turns = ((Math.round(rotation / 90) % 4) + 4) % 4;
  let around = [opposed(bottom), right, bottom, opposed(right)];
  around = around.map((_, at) => around[(at - turns + 4) % 4]);
  const [top, atRight, atBottom, left] = around;
  return {
    left: flip_horizontal ? atRight : left,
    right: flip_horizontal ? left : atRight,
    top: flip_vertical ? atBottom : top,
    bottom: flip_vertical ? top : atBottom,
  };
}

/** Pixels of the viewport for the smaller side of a voxel, of an acquired picture. */
export function scaleOf({ view, columns, rows, placement: { across, down } }) {
  const [height, width] = view.size ?? [rows, columns];
  return Math.min(width / columns / Math.hypot(...across), height / rows / Math.hypot(...down));
}

/** {rotation, flip_horizontal, flip_vertical} with which an acquired picture lies over its frame, from the header's placement: a
 *  presentation state turns pictures besides the View. */
export function turnOf({ across, down }) {
  const quarter = Math.abs(across[1]) > Math.abs(across[0]);
  return { rotation: quarter ? 90 : 0, flip_horizontal: quarter ? across[1] > 0 : across[0] < 0, flip_vertical: quarter ? down[0] < 0 : down[1] < 0 };
}

/** The longest bar of 1, 2 or 5 times a power of ten mm that fits: {millimetres, pixels, label, ticks}; null when unknown. */
export function scaleBar(millimetresPerPixel, longest) {
  if (!(millimetresPerPixel > 0) || !(longest > 0) || !Number.isFinite(millimetresPerPixel)) return null;
  const room = millimetresPerPixel * longest;
  const power = 10 ** Math.floor(Math.log10(room));
  const step = [5, 2, 1].find((one) => one * power <= room) ?? 1;
  const millimetres = step * power;
  const label = millimetres >= 10 ? `${millimetres / 10} cm` : `${Number(millimetres.toPrecision(2))} mm`;
  return { millimetres, pixels: millimetres / millimetresPerPixel, label, ticks: step === 1 ? 10 : step };
}

const SMALLEST_WIDTH = { LINEAR: 1 };

/** Window after a drag of (dx, dy) CSS pixels: right is wider, up is brighter (a lower centre), in proportion to the width. */
export function draggedWindow({ center, width, voi_lut_function = "LINEAR" }, dx, dy) {
  const speed = Math.max(width, SMALLEST_WIDTH[voi_lut_function] ?? 0) / 400;
  const least = SMALLEST_WIDTH[voi_lut_function] ?? Math.min(width, 1e-3);
  const wider = dx >= 0 ? width + dx * speed : width * Math.exp((dx * speed) / width);
  const digits = width >= 100 ? 0 : width >= 10 ? 1 : 3;
  const rounded = (value) => Number(value.toFixed(digits));
  return { window_center: rounded(center + dy * speed), window_width: Math.max(least, rounded(Math.max(least, wider))) };
}

/** Factor that makes a frame of rows x columns fill a viewport at zoom 1: picture pixels per stored pixel. */
export function fitScale([viewportRows, viewportColumns], rows, columns, rotation = 0) {
  const [tall, wide] = rotation % 180 ? [columns, rows] : [rows, columns];
  return Math.min(viewportRows / tall, viewportColumns / wide);
}

/** Zoom as a number (1 fits), when the View says "native". */
export function zoomNumber(zoom, fit) {
  if (zoom === "native") return fit > 0 ? 1 / fit : 1;
  return Number.isFinite(zoom) && zoom > 0 ? zoom : 1;
}

export const ZOOM_LIMITS = [0.05, 64];

/** Zoom and pan after growing by `factor` about a point, given as fractions of the viewport from its middle. */
export function zoomedAbout(zoom, pan, factor, [x, y] = [0, 0]) {
  const [least, most] = ZOOM_LIMITS;
  const next = Math.min(most, Math.max(least, zoom * factor));
  const grown = next / zoom;
  return { zoom: next, pan: boundedPan([x - (x - pan[0]) * grown, y - (y - pan[1]) * grown], next) };
}

/** Pan kept where some of the picture stays in sight. */
export function boundedPan([x, y], zoom = 1) {
  const most = 0.45 + zoom / 2;
  const within = (value) => Number(Math.min(most, Math.max(-most, value)).toFixed(5));
  return [within(x), within(y)];
}

/** Whole steps of a wheel, and what is left over for the next event. A notch is one step; a touchpad adds up. */
export function wheelSteps(rest, { deltaX = 0, deltaY = 0, deltaMode = 0, shiftKey = false }) {
  const delta = shiftKey && !deltaY ? deltaX : deltaY;
  const perStep = { 0: 50, 1: 1.5, 2: 0.5 }[deltaMode] ?? 50;
  if (Math.abs(delta) >= perStep) {
    const notch = { 0: 110, 1: 3, 2: 1 }[deltaMode] ?? 110;
    return { steps: Math.sign(delta) * Math.max(1, Math.round(Math.abs(delta) / notch)), rest: 0 };
  }
  const sum = Math.sign(rest) === -Math.sign(delta) ? delta : rest + delta;
  const steps = Math.trunc(sum / perStep);
  return { steps, rest: sum - steps * perStep };
}

/** A twentieth of a stack, at least one. */
export function jump(frames) {
  return Math.max(1, Math.round(frames / 20));
}

export function clamp(value, least, most) {
  return Math.min(most, Math.max(least, value));
}

/** mm from one device pixel of the picture to the next, across; null where none are known. A picture in the making may be smaller
 *  than it is painted. */
export function millimetresPerPixel(header) {
  const spacing = header.geometry?.pixel_spacing ?? header.pixel_spacing ?? header.millimetres;
  const across = Array.isArray(spacing) ? spacing[1] : spacing;
  return across ? (across * (header.columns || 1)) / (header.view.size?.[1] ?? (header.columns || 1)) : null;
}
