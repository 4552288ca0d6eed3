// Draws the crosshair into a pane: a line for each plane that cuts the picture, open around the point so that nothing hides it,
// with handles where the planes can be turned and their slabs opened.

import { t } from "../../../i18n.js";
import { onPane } from "../../plane.js";
import { directions, whole } from "../../space.js";
import { crossDirection, cutting } from "./frame.js";
import { keepOnly, part, reachIn, tenth } from "./svg.js";
import { cross as outer, dot } from "./vector.js";

export const LAYER = "crosshair";
const GAP = 16;
const TICK = 7;
const EDGE = 52;
const ROOM = 34;
const BESIDE = 0.75;

/** @param inHand true while handles are wanted */
export function drawCross(viewport, crosshair, inHand) {
  const layer = viewport.layer(LAYER);
  const names = new Set();
  const draw = (name, tag, attributes) => {
    names.add(name);
    return part(layer, name, tag, attributes);
  };
  const role = crosshair.role(viewport);
  if (role) viewport.element.dataset.plane = role;
  else delete viewport.element.dataset.plane;
  if (crosshair.has(viewport) && viewport.header?.geometry) {
    const at = onPane(viewport.header, "patient", crosshair.point, viewport.box);
    if (whole(viewport.header.view)) drawPlus(at, draw);
    else for (const line of linesIn(viewport, crosshair, at)) drawLine(line, { viewport, crosshair, role, at, inHand, draw });
  }
  keepOnly(layer, names);
}

/** [{name, way, perMm}]: which plane cuts here, the way of its line on the pane, and CSS px of a mm away from it. */
function linesIn({ header, box }, { planes }, at) {
  const plane = directions(header.view, header);
  if (!at || !plane) return [];
  const { row, column, pixel_spacing: spacing } = header.geometry;
  const scale = [box.width / header.columns / spacing[1], box.height / header.rows / spacing[0]];
  const seen = { row, column };
  return cutting(planes, plane).flatMap((name) => {
    const along = crossDirection(seen, planes[name]);
    if (!along) return [];
    const [x, y] = [dot(along, row) * scale[0], dot(along, column) * scale[1]];
    const long = Math.hypot(x, y);
    const way = x < -1e-9 || (Math.abs(x) <= 1e-9 && y < 0) ? [-x / long, -y / long] : [x / long, y / long];
    const slant = Math.hypot(...outer(outer(row, column), outer(planes[name].row, planes[name].column)));
    return [{ name, way, perMm: scale[0] / Math.max(slant, 1e-3) }];
  });
}

function drawPlus(at, draw) {
  const [x, y] = [tenth(at.x), tenth(at.y)];
  for (const [name, dx, dy] of [["left", -1, 0], ["right", 1, 0], ["up", 0, -1], ["down", 0, 1]]) {
    const [a, b] = [GAP / 2, GAP / 2 + TICK];
    draw(name, "line", { x1: x + dx * a, y1: y + dy * a, x2: x + dx * b, y2: y + dy * b, class: "cross plain" });
  }
}

function drawLine(line, { viewport, crosshair, role, at, inHand, draw }) {
  const { name, way } = line;
  const { box } = viewport;
  const reach = reachIn(at, way, box);
  if (!reach) return;
  const away = Math.abs(crosshair.off(viewport) ?? 0);
  const style = away > BESIDE + stepOf(viewport) / 2 ? "cross away" : "cross";
  segment(`${name} back`, reach[0], Math.min(-GAP, reach[1]));
  segment(`${name} ahead`, Math.max(GAP, reach[0]), reach[1]);
  if (!role) return;
  const slab = crosshair.slab(name);
  if (slab) drawSlab(line, slab, at, box, draw);
  if (inHand) drawHandles(line, { at, box, slab, still: role, draw });

  function segment(which, from, to) {
    if (to - from < 1) return;
    const [a, b] = [from, to].map((far) => [tenth(at.x + way[0] * far), tenth(at.y + way[1] * far)]);
    draw(which, "line", { x1: a[0], y1: a[1], x2: b[0], y2: b[1], class: style, "data-plane": name });
  }
}

/** mm between the images of a stack; 0 for planes, which lie anywhere. */
function stepOf(viewport) {
  const { wish, opened } = viewport;
  if ((wish.plane ?? "acquired") !== "acquired") return 0;
  return opened?.geometry?.spacing_between_slices ?? 1;
}

function drawSlab({ name, way, perMm }, slab, at, box, draw) {
  const half = (slab / 2) * perMm;
  for (const side of [-1, 1]) {
    const base = { x: at.x - way[1] * half * side, y: at.y + way[0] * half * side };
    const reach = reachIn(base, way, box);
    if (!reach) continue;
    const [a, b] = reach.map((far) => [tenth(base.x + way[0] * far), tenth(base.y + way[1] * far)]);
    draw(`${name} slab ${side}`, "line", { x1: a[0], y1: a[1], x2: b[0], y2: b[1], class: "cross slab", "data-plane": name });
  }
}

function drawHandles({ name, way, perMm }, { at, box, slab, still, draw }) {
  const reach = reachIn(at, way, box, EDGE);
  if (!reach) return;
  const sides = [reach[0], reach[1]].filter((far) => Math.abs(far) > GAP + ROOM);
  sides.forEach((far) => {
    const side = far < 0 ? "back" : "ahead";
    const first = far === sides[0];
    const place = { x: tenth(at.x + way[0] * far), y: tenth(at.y + way[1] * far) };
    handle(`${name} turn ${side}`, place, "turn", first && {
      "aria-label": t("Turn the planes here"),
      "aria-valuenow": angleOf(way),
      "aria-valuemin": -90,
      "aria-valuemax": 90,
      "aria-valuetext": `${angleOf(way)}°`,
    });
  });
  const longest = sides.reduce((best, one) => (Math.abs(one) > Math.abs(best) ? one : best), 0);
  if (!longest) return;
  const far = (longest + Math.sign(longest) * GAP) / 2;
  const half = (slab / 2) * perMm;
  const place = { x: tenth(at.x + way[0] * far - way[1] * half), y: tenth(at.y + way[1] * far + way[0] * half) };
  handle(`${name} slab`, place, "slab", { "aria-label": t("Thickness of the slab, mm"), "aria-valuenow": slab, "aria-valuemin": 0, "aria-valuemax": 500, "aria-valuetext": `${slab} mm` });
  if (slab) {
    const side = half + 18;
    const beside = { x: at.x + way[0] * far - way[1] * side, y: at.y + way[1] * far + way[0] * side };
    const text = draw(`${name} mm`, "text", { x: tenth(beside.x), y: tenth(beside.y), class: "cross-mm", "data-plane": name });
    const words = `${slab} mm`;
    if (text.textContent !== words) text.textContent = words;
  }

  function handle(which, { x, y }, kind, reachable) {
    const attributes = { class: `handle ${kind}`, "data-plane": name, "data-handle": kind, "data-still": still, ...(reachable ? { tabindex: 0, role: "slider", ...reachable } : { "aria-hidden": "true" }) };
    const group = draw(which, "g", attributes);
    group.setAttribute("transform", `translate(${x} ${y}) rotate(${tenth((Math.atan2(way[1], way[0]) * 180) / Math.PI)})`);
    if (group.childElementCount) return;
    piece(group, "circle", { class: "grip", r: 13 });
    if (kind === "turn") piece(group, "circle", { class: "nub", r: 5 });
    else piece(group, "rect", { class: "nub", x: -8, y: -3, width: 16, height: 6, rx: 2 });
  }
}

const piece = (group, tag, attributes) => part(group, attributes.class, tag, attributes);

/** Degrees of a line against the horizontal, -90 to 90. */
const angleOf = ([x, y]) => Math.round((Math.atan2(-y, x) * 180) / Math.PI);
