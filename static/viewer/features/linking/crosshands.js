// The crosshair in hand: the tool that places it, and the handles that turn its planes and open their slabs, by pointer and keys.

import { t } from "../../../i18n.js";
import { onPane, paneToPicture, pictureToPatient } from "../../plane.js";
import { normalOf, whole } from "../../space.js";
import { toolNamed } from "../../tools/index.js";
import { LAYER } from "./crossdraw.js";
import { cross as outer, dot, minus, unit } from "./vector.js";

const DEGREE = Math.PI / 180;
const SNAP = 15 * DEGREE;
const ARROWS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 };

export function crosshairTool(crosshair) {
  return {
    name: "crosshair",
    label: t("Crosshair"),
    hint: t("Click or drag: every viewport goes to that point"),
    icon: "crosshair",
    cursor: "crosshair",
    group: "linking",
    begin(viewport, start) {
      if (whole(viewport.wish)) return toolNamed("turn").begin(viewport, start);
      if (!viewport.header?.geometry) {
        viewport.remark(t("No crosshair here"), t("this image says no position in the patient"));
        return { move() {} };
      }
      const aim = (point) => {
        const { header } = viewport;
        if (header?.geometry) crosshair.moveTo(pictureToPatient(header, paneToPicture(header, point, point)), viewport);
      };
      aim(start);
      return { move: aim };
    },
  };
}

/** Listens to the handles of a pane, once. */
export function takeHandles(viewport, crosshair) {
  const layer = viewport.layer(LAYER);
  layer.addEventListener("pointerdown", (event) => {
    const handle = event.target.closest("[data-handle]");
    if (!handle || event.button) return;
    event.preventDefault();
    event.stopPropagation();
    handle.dataset.held = "yes";
    const move = (handle.dataset.handle === "turn" ? turnByHand : slabByHand)(viewport, crosshair, handle.dataset, event);
    drag(event.pointerId, move, () => delete handle.dataset.held);
  });
  layer.addEventListener("dblclick", (event) => event.target.closest("[data-handle]") && event.stopPropagation());
  layer.addEventListener("keydown", (event) => {
    const handle = event.target.closest("[data-handle]");
    const way = ARROWS[event.key];
    if (!handle || !way || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    const { handle: kind, plane, still } = handle.dataset;
    const far = event.shiftKey ? 5 : 1;
    if (kind === "turn") crosshair.turn(still, -way * far * DEGREE * seenFromAbove(viewport, crosshair, still));
    else crosshair.thicken(plane, Math.max(0, crosshair.slab(plane) + way * far));
  });
}

/** Follows one pointer until it is let go, wherever it goes: handles move under it. */
function drag(pointer, move, end) {
  const follow = (event) => event.pointerId === pointer && move(event);
  const stop = (event) => {
    if (event.pointerId !== pointer) return;
    for (const [name, heard] of listeners) window.removeEventListener(name, heard, true);
    end();
  };
  const listeners = [["pointermove", follow], ["pointerup", stop], ["pointercancel", stop]];
  for (const [name, heard] of listeners) window.addEventListener(name, heard, true);
}

/** 1 where the picture shows the plane from the side that its normal points away from; -1 where it is mirrored. */
function seenFromAbove({ header }, { planes }, still) {
  return Math.sign(dot(outer(header.geometry.row, header.geometry.column), normalOf(planes[still]))) || 1;
}

function pointOf(viewport, { clientX, clientY }) {
  const box = viewport.stage.getBoundingClientRect();
  return { x: clientX - box.left, y: clientY - box.top, width: box.width, height: box.height };
}

function turnByHand(viewport, crosshair, { still }, event) {
  const angleAt = (one) => {
    const { x, y } = pointOf(viewport, one);
    const at = onPane(viewport.header, "patient", crosshair.point, viewport.box);
    return Math.atan2(y - at.y, x - at.x);
  };
  const from = angleAt(event);
  const side = seenFromAbove(viewport, crosshair, still);
  const turn = crosshair.turning(still);
  return (one) => {
    const angle = angleAt(one) - from;
    turn((one.shiftKey ? Math.round(angle / SNAP) * SNAP : angle) * side);
  };
}

function slabByHand(viewport, crosshair, { plane }) {
  const normal = unit(normalOf(crosshair.planes[plane]));
  return (one) => {
    const point = pointOf(viewport, one);
    const there = pictureToPatient(viewport.header, paneToPicture(viewport.header, point, point));
    crosshair.thicken(plane, 2 * Math.abs(dot(minus(there, crosshair.point), normal)));
  };
}
