// Reference lines: where the plane of the active pane cuts the pictures of the others, and where its stack begins and ends.

import { t } from "../../../i18n.js";
import { crossing } from "../../plane.js";
import { directions, whole } from "../../space.js";
import { extentAt, extentOf, spaceOf } from "./standing.js";
import { keepOnly, part, tenth } from "./svg.js";
import { planeName } from "./frame.js";

const LAYER = "reference-lines";

/** Draws the lines of `active` into every other pane, or takes them away. */
export function drawLines(panes, active, on) {
  for (const viewport of panes) {
    const layer = viewport.layer(LAYER);
    const lines = on && viewport !== active ? linesIn(viewport, active) : [];
    for (const { name, ends, kind } of lines) {
      const [a, b] = ends;
      part(layer, name, "line", { x1: tenth(a.x), y1: tenth(a.y), x2: tenth(b.x), y2: tenth(b.y), class: `reference ${name}`, "data-plane": kind });
    }
    keepOnly(layer, new Set(lines.map(({ name }) => name)));
    layer.setAttribute("aria-label", lines.length ? t("Reference line of the active viewport") : "");
  }
}

/** [{name, ends: [{x, y}, {x, y}], kind}] in CSS px of the pane; nothing across frames of reference. */
export function linesIn(viewport, active) {
  if (!active?.header || active.state !== "shown" || viewport.state !== "shown" || whole(active.header.view) || whole(viewport.header.view)) return [];
  const space = spaceOf(active);
  if (!space || space !== spaceOf(viewport)) return [];
  const kind = planeName(directions(active.header.view, active.header));
  const { frames, header } = active;
  const wanted = [["now", extentOf(active)]];
  if (Number.isInteger(header.view.frame) && frames > 1) wanted.push(["first", extentAt(active, 0)], ["last", extentAt(active, frames - 1)]);
  return wanted
    .map(([name, extent]) => ({ name, kind, ends: extent && crossing(viewport.header, extent, viewport.box) }))
    .filter(({ ends }) => ends);
}
