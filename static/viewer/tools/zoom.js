// Zoom: up is nearer, about the point where the drag began.

import { t } from "../../i18n.js";
import { zoomedAbout } from "../geometry.js";

const PIXELS_TO_DOUBLE = 160;

export const zoomTool = {
  name: "zoom",
  label: t("Zoom"),
  hint: t("Drag up to enlarge, down to reduce"),
  icon: "zoom-in",
  cursor: "zoom-in",
  begin(viewport, start) {
    const [zoom, pan] = [viewport.zoom, viewport.pan];
    return {
      move(point) {
        viewport.change(zoomedAbout(zoom, pan, 2 ** ((start.y - point.y) / PIXELS_TO_DOUBLE), start.fraction));
      },
    };
  },
};
