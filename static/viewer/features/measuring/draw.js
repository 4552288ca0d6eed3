// The drawing of measurements over a picture: SVG in CSS pixels of the pane, so that no line grows with the zoom.

import { along, besideShape, handlesOf, leader, linesOf, offPoints, within } from "./shapes.js";
import { axisOf, place } from "./seen.js";
import { lines as wordsOf } from "./values.js";

const SVG = "http://www.w3.org/2000/svg";
const LINE_HEIGHT = 15;
const PADDING = 3;
const FACE = "12px";

function make(tag, parent, attributes = {}) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  parent?.append(element);
  return element;
}

const at = (value) => value.toFixed(2);
const pathOf = ({ points, closed }) => points.map(({ x, y }, index) => `${index ? "L" : "M"}${at(x)} ${at(y)}`).join("") + (closed ? "Z" : "");

let ruler = null;
/** Width of words in CSS pixels, without a layout. */
function widthOf(text) {
  if (!ruler) {
    ruler = document.createElement("canvas").getContext("2d");
    ruler.font = `${FACE} ${getComputedStyle(document.body).fontFamily}`;
  }
  return ruler.measureText(text).width;
}

/** Size of a box of words. */
export const sizeOf = (texts) => ({ width: Math.ceil(Math.max(...texts.map(widthOf))) + 2 * PADDING, height: texts.length * LINE_HEIGHT + 2 * PADDING });

/** What lies on a picture, with where: [{mark, points, solid, lines, handles, words, box}], in the order of drawing.
 *  @param picture {header, opened, glass} @param moved Map of uid -> {x, y}: where a hand has put the words, from the first point */
export function laidOut(marks, picture, moved = new Map()) {
  const found = marks.flatMap((mark) => {
    const placed = place(mark, picture);
    if (!placed) return [];
    const { points, solid } = placed;
    const axis = mark.kind === "rectangle" ? (axisOf(mark, picture) ?? { x: 1, y: 0 }) : null;
    return [{ mark, points, solid, lines: linesOf(mark.kind, points, axis), handles: solid ? handlesOf(mark.kind, points) : [], words: solid ? wordsOfMark(mark) : [], box: null }];
  });
  const hidden = found.flatMap(({ lines }) => along(lines));
  const taken = [];
  for (const item of found) {
    if (!item.words.length) continue;
    item.box = boxOf(item, picture.glass, taken, hidden, moved);
    taken.push(item.box);
  }
  return found;
}

function wordsOfMark(mark) {
  const words = wordsOf(mark);
  if (mark.waiting) words.push(mark.waiting);
  if (mark.wrong) words.push(mark.wrong);
  return words;
}

function boxOf({ mark, points, lines, words }, glass, taken, drawn, moved) {
  const size = sizeOf(words);
  // A text stands where it was put; the others beside what they are about.
  if (mark.kind === "text") return within({ x: points[0].x - PADDING, y: points[0].y - size.height / 2, ...size }, glass);
  const ends = handlesOf(mark.kind, points);
  const put = moved.get(mark.uid);
  if (put) return offPoints(within({ x: points[0].x + put.x, y: points[0].y + put.y, ...size }, glass), ends);
  return besideShape(ends.length ? points : lines.flatMap((line) => line.points), size, glass, taken, drawn);
}

/** Draws what is laid out into the layer of a pane. @param how {selected, hovered, active} uids and the index of a handle */
export function draw(layer, items, { selected = null, hovered = null, active = null } = {}) {
  if (!items.length) {
    if (layer.firstChild) layer.replaceChildren();
    return;
  }
  layer.replaceChildren(...items.map((item) => drawn(item, { chosen: item.mark.uid === selected, near: item.mark.uid === hovered, active })));
}

function drawn({ mark, points, solid, lines, handles, words, box }, { chosen, near, active }) {
  const state = mark.state ?? "kept";
  const names = ["mark", mark.kind, `is-${state}`, solid ? "" : "is-crossing", chosen ? "is-selected" : "", near ? "is-near" : "", mark.draft ? "is-draft" : ""];
  const group = make("g", null, { class: names.filter(Boolean).join(" "), "data-uid": mark.uid });
  for (const name of ["halo", "stroke"]) {
    for (const line of lines) if (line.points.length) make("path", group, { class: line.thin ? `${name} thin` : name, d: pathOf(line) });
  }
  if ((chosen || near || mark.draft) && !mark.locked) {
    handles.forEach(({ x, y }, index) => make("circle", group, { class: chosen && index === active ? "handle is-active" : "handle", cx: at(x), cy: at(y) }));
  }
  if (box) caption(group, mark, points, lines, words, box);
  return group;
}

function caption(group, mark, points, lines, words, box) {
  const reach = mark.kind === "text" ? null : leader(box, lines.flatMap((line) => line.points).concat(points));
  if (reach) make("path", group, { class: "leader", d: pathOf({ points: reach }) });
  const text = make("text", group, { class: "words", x: at(box.x + PADDING), y: at(box.y + PADDING) });
  words.forEach((line, index) => {
    make("tspan", text, { x: at(box.x + PADDING), dy: index ? LINE_HEIGHT : LINE_HEIGHT - 4 }).textContent = line;
  });
}
