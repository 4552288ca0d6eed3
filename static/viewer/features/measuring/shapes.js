// The shapes of measurements on a pane, as numbers: what is drawn, where the handles are, how a hand changes them, what lies
// under a point. Points are {x, y} in CSS pixels of the pane. Imports nothing.

const plus = (a, b, by = 1) => ({ x: a.x + by * b.x, y: a.y + by * b.y });
const minus = (a, b) => plus(a, b, -1);
const times = (a, by) => ({ x: a.x * by, y: a.y * by });
const dot = (a, b) => a.x * b.x + a.y * b.y;
export const apart = (a, b) => Math.hypot(a.x - b.x, a.y - b.y);
export const between = (a, b, part = 0.5) => plus(a, minus(b, a), part);
/** A quarter turn of length 1, square to a way. */
const square = (way) => {
  const far = Math.hypot(way.x, way.y) || 1;
  return { x: -way.y / far, y: way.x / far };
};

// --- what a hand gives becomes the points that are kept

/** The ends of both axes of the ellipse that fills a box. */
function ellipseEnds([a, b]) {
  const middle = between(a, b);
  const wide = [{ x: a.x, y: middle.y }, { x: b.x, y: middle.y }];
  const tall = [{ x: middle.x, y: a.y }, { x: middle.x, y: b.y }];
  return [...wide, ...tall];
}

/** Long axis and, through `side`, the one square to it; a side that is not given yet leaves the long axis alone. */
function squared([a, b, side]) {
  if (!side) return [a, b];
  const way = minus(b, a);
  const part = Math.min(1, Math.max(0, dot(minus(side, a), way) / (dot(way, way) || 1)));
  const foot = between(a, b, part);
  return [a, b, side, plus(foot, minus(side, foot), -1)];
}

/** Both lines run in the same direction, so that the angle between them is the lesser one. */
function alike(points) {
  const [a, b, c, d] = points;
  if (!d) return points;
  return dot(minus(b, a), minus(d, c)) < 0 ? [a, b, d, c] : points;
}

/** Moves the end of one axis of an ellipse; the other axis stays square on it, as long as it was, in the middle. */
function ellipseMoved(points, index, to) {
  const moved = points.map((point, at) => (at === index ? to : point));
  const [one, other] = index < 2 ? [[0, 1], [2, 3]] : [[2, 3], [0, 1]];
  const middle = between(moved[one[0]], moved[one[1]]);
  const way = square(minus(moved[one[1]], moved[one[0]]));
  const half = apart(points[other[0]], points[other[1]]) / 2;
  // The same side as before: a handle must not jump under the hand.
  const sign = dot(minus(points[other[0]], points[other[1]]), way) < 0 ? -1 : 1;
  moved[other[0]] = plus(middle, way, sign * half);
  moved[other[1]] = plus(middle, way, -sign * half);
  return moved;
}

/** Moves an end of a long or short axis. The short one stays square on the long one; its ends go along it. */
function axesMoved(points, index, to) {
  const [a, b, c, d] = points;
  if (index < 2) {
    const ends = index ? [a, to] : [to, b];
    const old = minus(b, a);
    const part = dot(minus(between(c, d), a), old) / (dot(old, old) || 1);
    const foot = between(...ends, Math.min(1, Math.max(0, part)));
    const [wasWay, way] = [square(old), square(minus(ends[1], ends[0]))];
    const foots = between(a, b, part);
    return [...ends, plus(foot, way, dot(minus(c, foots), wasWay)), plus(foot, way, dot(minus(d, foots), wasWay))];
  }
  const long = minus(b, a);
  const part = Math.min(1, Math.max(0, dot(minus(to, a), long) / (dot(long, long) || 1)));
  const foot = between(a, b, part);
  const way = square(long);
  const other = index === 2 ? d : c;
  const far = dot(minus(other, a), way);
  const end = plus(foot, way, dot(minus(to, foot), way));
  const opposite = plus(foot, way, far);
  return index === 2 ? [a, b, end, opposite] : [a, b, opposite, end];
}

const replaced = (points, index, to) => points.map((point, at) => (at === index ? to : point));

// --- lines of a shape

const line = (...points) => ({ points, closed: false });
const EIGHTH = Math.PI / 32;

/** Points along an ellipse given by the ends of its axes; the second axis is taken square on the first. */
function ellipseLine([a, b, c, d]) {
  const middle = between(a, b);
  const one = minus(b, middle);
  const half = apart(c, d) / 2;
  const other = times(square(one), half);
  const points = Array.from({ length: 64 }, (_, at) => plus(plus(middle, one, Math.cos(at * EIGHTH)), other, Math.sin(at * EIGHTH)));
  return [{ points, closed: true }];
}

/** The four corners of a rectangle from two opposite ones; `axis` is the way of one of its sides on the pane. */
export function corners(a, b, axis = { x: 1, y: 0 }) {
  const far = Math.hypot(axis.x, axis.y) || 1;
  const way = times(axis, 1 / far);
  const along = times(way, dot(minus(b, a), way));
  return [a, plus(a, along), b, minus(b, along)];
}

function arrowLine([tip, tail]) {
  if (!tail) return [];
  const way = minus(tail, tip);
  const far = Math.hypot(way.x, way.y) || 1;
  const back = times(way, Math.min(12, far) / far);
  const aside = times(square(way), Math.min(12, far) * 0.38);
  const root = plus(tip, back);
  return [line(tip, tail), line(plus(root, aside), tip, minus(root, aside))];
}

const CROSS = 6;
const cross = ([at]) => [line({ x: at.x - CROSS, y: at.y }, { x: at.x + CROSS, y: at.y }), line({ x: at.x, y: at.y - CROSS }, { x: at.x, y: at.y + CROSS })];
const TICK = 5;
/** A line with short strokes across its ends. */
function ruled(a, b) {
  const way = times(square(minus(b, a)), TICK);
  return [line(a, b), line(plus(a, way), minus(a, way)), line(plus(b, way), minus(b, way))];
}

/** A small arc at the middle point, so that it is seen which angle is meant. */
function arc(a, at, b) {
  const far = Math.min(24, apart(a, at) / 2, apart(b, at) / 2);
  if (far < 4) return [];
  const from = Math.atan2(a.y - at.y, a.x - at.x);
  let sweep = Math.atan2(b.y - at.y, b.x - at.x) - from;
  if (sweep > Math.PI) sweep -= 2 * Math.PI;
  if (sweep < -Math.PI) sweep += 2 * Math.PI;
  const points = Array.from({ length: 13 }, (_, step) => {
    const angle = from + (sweep * step) / 12;
    return { x: at.x + far * Math.cos(angle), y: at.y + far * Math.sin(angle) };
  });
  return [line(...points)];
}

function cobbLines([a, b, c, d]) {
  const lines = [line(a, b)];
  if (!d) return lines;
  // A thin link from middle to middle says which two lines belong together.
  return [...lines, line(c, d), { ...line(between(a, b), between(c, d)), thin: true }];
}

/** kind -> {hand: how many points a hand sets (0: a trace), lines(points, axis), complete, moved, handles} */
export const SHAPES = {
  probe: { hand: 1, lines: cross },
  length: { hand: 2, lines: ([a, b]) => (b ? ruled(a, b) : []) },
  calibration: { hand: 2, lines: ([a, b]) => (b ? ruled(a, b) : []) },
  bidirectional: { hand: 3, complete: squared, moved: axesMoved, lines: ([a, b, c, d]) => [...(b ? ruled(a, b) : []), ...(d ? ruled(c, d) : [])] },
  angle: { hand: 3, lines: ([a, b, c]) => (c ? [line(a, b, c), ...arc(a, b, c)] : b ? [line(a, b)] : []) },
  cobb: { hand: 4, complete: alike, lines: (points) => (points.length > 1 ? cobbLines(points) : []) },
  ellipse: { hand: 2, complete: (points) => (points[1] ? ellipseEnds(points) : points), moved: ellipseMoved, lines: (points) => (points[3] ? ellipseLine(points) : []) },
  rectangle: { hand: 2, lines: ([a, b], axis) => (b ? [{ points: corners(a, b, axis), closed: true }] : []) },
  freehand: { hand: 0, handles: () => [], lines: (points) => (points.length > 1 ? [{ points, closed: true }] : []) },
  polygon: { hand: 0, lines: (points) => [{ points, closed: true }] },
  polyline: { hand: 0, lines: (points) => [line(...points)] },
  arrow: { hand: 2, lines: arrowLine },
  text: { hand: 1, handles: () => [], lines: () => [] },
};
const UNKNOWN = { hand: 0, lines: (points) => [line(...points)] };
const shapeOf = (kind) => SHAPES[kind] ?? UNKNOWN;

/** How many points a hand sets; 0 for a trace. */
export const handPoints = (kind) => shapeOf(kind).hand;
/** The points that are kept, of those a hand has set. */
export const completed = (kind, points) => shapeOf(kind).complete?.(points) ?? points;
/** The points after handle `index` was taken to a place. */
export const handleMoved = (kind, points, index, to) => (shapeOf(kind).moved ?? replaced)(points, index, to);
/** [{points, closed, thin}] to draw. */
export const linesOf = (kind, points, axis) => shapeOf(kind).lines(points, axis);
/** The places of a shape's handles. */
export const handlesOf = (kind, points) => shapeOf(kind).handles?.(points) ?? points;

// --- a trace of the hand

const SPACING = 2;
export const MOST_TRACED = 1000;

/** A trace with a further point; one that hardly moved adds nothing. */
export function traced(points, to) {
  return points.length && apart(points.at(-1), to) < SPACING ? points : [...points, to];
}

/** The same line with fewer points, none further than `by` from it (Ramer 1972, Douglas and Peucker 1973). */
export function simplified(points, by = 0.35) {
  if (points.length < 3) return points;
  const keep = new Set([0, points.length - 1]);
  const open = [[0, points.length - 1]];
  while (open.length) {
    const [first, last] = open.pop();
    let [most, at] = [by, -1];
    for (let index = first + 1; index < last; index += 1) {
      const far = toSegment(points[index], points[first], points[last]);
      if (far > most) [most, at] = [far, index];
    }
    if (at < 0) continue;
    keep.add(at);
    open.push([first, at], [at, last]);
  }
  return points.filter((_, index) => keep.has(index));
}

// --- what lies under a point

/** Pixels from a point to a line from a to b. */
export function toSegment(point, a, b) {
  const way = minus(b, a);
  const part = Math.min(1, Math.max(0, dot(minus(point, a), way) / (dot(way, way) || 1)));
  return apart(point, between(a, b, part));
}

/** Pixels from a point to the nearest of some lines. */
export function toLines(point, lines) {
  let least = Infinity;
  for (const { points, closed } of lines) {
    const ends = closed ? [...points, points[0]] : points;
    for (let at = 1; at < ends.length; at += 1) least = Math.min(least, toSegment(point, ends[at - 1], ends[at]));
    if (ends.length === 1) least = Math.min(least, apart(point, ends[0]));
  }
  return least;
}

/** {index} of the handle under a point, {} of the line, or null. @param reach {handle, line} in pixels */
export function under(point, handles, lines, reach) {
  let [least, index] = [reach.handle, null];
  handles.forEach((handle, at) => {
    const far = apart(point, handle);
    if (far <= least) [least, index] = [far, at];
  });
  if (index !== null) return { index };
  return toLines(point, lines) <= reach.line ? {} : null;
}

// --- where the words go

const GAP = 14;
const holds = (box, { x, y }, room = 0) => x > box.x - room && x < box.x + box.width + room && y > box.y - room && y < box.y + box.height + room;
const overlap = (a, b) => Math.max(0, Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x)) * Math.max(0, Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y));

/** A box of words beside a shape: {x, y, width, height}. Never over its end points, over as little else as can be; in the pane.
 *  @param taken boxes of other words @param drawn points along everything that is drawn @param pane {width, height} */
export function besideShape(points, size, pane, taken = [], drawn = []) {
  const xs = points.map(({ x }) => x);
  const ys = points.map(({ y }) => y);
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const [middleX, middleY] = [(left + right - size.width) / 2, (top + bottom - size.height) / 2];
  const wanted = [
    [right + GAP, middleY],
    [right + GAP, top - size.height / 2],
    [right + GAP, bottom - size.height / 2],
    [left - GAP - size.width, middleY],
    [middleX, bottom + GAP],
    [middleX, top - GAP - size.height],
    [right + 3 * GAP, middleY + 2 * size.height],
    [right + 3 * GAP, middleY - 2 * size.height],
    [left - 3 * GAP - size.width, middleY + 2 * size.height],
    [left - 3 * GAP - size.width, middleY - 2 * size.height],
  ];
  let [best, least] = [null, Infinity];
  wanted.forEach(([x, y], at) => {
    const box = { ...within({ x, y, ...size }, pane) };
    const moved = Math.hypot(box.x - x, box.y - y);
    const covers = points.filter((point) => holds(box, point, 4)).length;
    const hides = drawn.filter((point) => holds(box, point)).length;
    const cost = covers * 1e6 + hides * 90 + taken.reduce((sum, other) => sum + overlap(box, other), 0) * 10 + moved * 6 + at * 8;
    if (cost < least) [best, least] = [box, cost];
  });
  return best;
}

/** Points along lines, no further apart than a word is high. */
export function along(lines, step = 12) {
  return lines.flatMap(({ points, closed }) => {
    const ends = closed ? [...points, points[0]] : points;
    return ends.flatMap((point, at) => {
      if (!at) return [point];
      const count = Math.min(200, Math.max(1, Math.ceil(apart(point, ends[at - 1]) / step)));
      return Array.from({ length: count }, (_, part) => between(ends[at - 1], point, (part + 1) / count));
    });
  });
}

/** A box, kept inside the pane. */
export function within(box, pane, edge = 4) {
  const bound = (value, size, room) => Math.max(edge, Math.min(room - size - edge, value));
  return { ...box, x: bound(box.x, box.width, pane.width), y: bound(box.y, box.height, pane.height) };
}

/** A box that a hand has dragged, pushed off the end points that it would cover. */
export function offPoints(box, points) {
  let now = box;
  for (const point of points) {
    if (!holds(now, point, 4)) continue;
    const ways = [
      { x: point.x + 5, y: now.y },
      { x: point.x - now.width - 5, y: now.y },
      { x: now.x, y: point.y + 5 },
      { x: now.x, y: point.y - now.height - 5 },
    ];
    ways.sort((a, b) => apart(a, now) - apart(b, now));
    now = { ...now, ...ways[0] };
  }
  return now;
}

/** The line from a box of words to the nearest point of a shape; null where they are close together. */
export function leader(box, points, least = 10) {
  const nearest = (point) => ({ x: Math.min(box.x + box.width, Math.max(box.x, point.x)), y: Math.min(box.y + box.height, Math.max(box.y, point.y)) });
  let [far, found] = [Infinity, null];
  for (const point of points) {
    const from = nearest(point);
    if (apart(from, point) < far) [far, found] = [apart(from, point), [from, point]];
  }
  return far > least && Number.isFinite(far) ? found : null;
}
