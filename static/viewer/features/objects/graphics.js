// Drawings and texts of a presentation state, as the frame's header gives them in pixels of the picture (PS3.3 C.10.5).

import { pictureToPane } from "../../plane.js";

const SPACE = "http://www.w3.org/2000/svg";
const LINE = 15;
const POINT = 4;
const COLOR = /^#[0-9a-f]{6}$/i;

const tenth = (value) => Math.round(value * 10) / 10;
const place = ({ x, y }) => `${tenth(x)} ${tenth(y)}`;
const middle = (a, b) => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
const far = (a, b) => Math.hypot(b.x - a.x, b.y - a.y);

/** A smooth curve through all points (Catmull-Rom), as a path. */
function curve(points) {
  const at = (index) => points[Math.min(points.length - 1, Math.max(0, index))];
  const control = (one, before, after, sign) => ({ x: one.x + (sign * (after.x - before.x)) / 6, y: one.y + (sign * (after.y - before.y)) / 6 });
  const parts = points.slice(1).map((to, index) => {
    const from = at(index);
    return `C${place(control(from, at(index - 1), to, 1))} ${place(control(to, from, at(index + 2), -1))} ${place(to)}`;
  });
  return `M${place(points[0])}${parts.join("")}`;
}

/** {tag, attributes} of a drawing whose points are {x, y} of the pane; null for what is none, texts too. */
export function shapeOf(kind, points, filled = false) {
  const fill = filled ? "currentColor" : "none";
  if (kind === "point") return { tag: "path", attributes: { d: `M${place({ x: points[0].x - POINT, y: points[0].y })}h${2 * POINT}M${place({ x: points[0].x, y: points[0].y - POINT })}v${2 * POINT}`, fill } };
  if (kind === "polyline") return { tag: "path", attributes: { d: `M${points.map(place).join("L")}`, fill } };
  if (kind === "interpolated") return { tag: "path", attributes: { d: curve(points), fill } };
  if (kind === "circle") return { tag: "circle", attributes: { cx: tenth(points[0].x), cy: tenth(points[0].y), r: tenth(far(points[0], points[1])), fill } };
  if (kind !== "ellipse") return null;
  const [a, b, c, d] = points;
  const { x, y } = middle(a, b);
  const turn = (Math.atan2(b.y - a.y, b.x - a.x) * 180) / Math.PI;
  return { tag: "ellipse", attributes: { cx: tenth(x), cy: tenth(y), rx: tenth(far(a, b) / 2), ry: tenth(far(c, d) / 2), transform: `rotate(${tenth(turn)} ${tenth(x)} ${tenth(y)})`, fill } };
}

function add(parent, tag, attributes) {
  const element = document.createElementNS(SPACE, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  parent.append(element);
  return element;
}

/** Every line twice: a dark one under a light one, so that it is seen on white and on black. */
function line(parent, tag, attributes) {
  add(parent, tag, { ...attributes, class: "halo", fill: "none" });
  add(parent, tag, { ...attributes, class: "line" });
}

function write(group, { text, justification }, points, anchor) {
  const lines = String(text ?? "").split(/\r\n|\r|\n/);
  const corners = points.length ? points : [anchor];
  const [left, right] = [Math.min(...corners.map(({ x }) => x)), Math.max(...corners.map(({ x }) => x))];
  const top = Math.min(...corners.map(({ y }) => y));
  const [x, side] = { right: [right, "end"], center: [(left + right) / 2, "middle"] }[justification] ?? [left, "start"];
  const element = add(group, "text", { x: tenth(x), y: tenth(top + LINE), "text-anchor": side });
  lines.forEach((words, index) => {
    const row = add(element, "tspan", { x: tenth(x), dy: index ? LINE : 0 });
    row.textContent = words;
  });
  return { x: (left + right) / 2, y: top + (LINE * lines.length) / 2 };
}

/** Draws the graphics of the painted picture of a pane. */
export function drawGraphics(viewport) {
  const { header } = viewport;
  const found = header?.graphics ?? [];
  if (!found.length && !viewport.layers.querySelector('[data-layer="graphics"]')?.children.length) return;
  const layer = viewport.layer("graphics");
  const { box } = viewport;
  layer.replaceChildren();
  for (const graphic of found) {
    const points = graphic.points.map((point) => pictureToPane(header, point, box));
    const group = add(layer, "g", { class: "graphic" });
    if (COLOR.test(graphic.color ?? "")) group.setAttribute("color", graphic.color);
    if (graphic.kind === "text") {
      const anchor = graphic.anchor && pictureToPane(header, graphic.anchor, box);
      if (!points.length && !anchor) continue;
      const from = write(group, graphic, points, anchor);
      if (anchor && graphic.anchor_visible && points.length) line(group, "path", { d: `M${place(from)}L${place(anchor)}` });
    } else {
      const shape = shapeOf(graphic.kind, points, graphic.filled);
      if (shape) line(group, shape.tag, shape.attributes);
    }
  }
}
