// Scroll: down goes on through the stack; the whole stack lies within one height of the pane.

import { t } from "../../i18n.js";
import { clamp } from "../geometry.js";

export const scrollTool = {
  name: "scroll",
  label: t("Scroll"),
  hint: t("Drag down for the next images"),
  icon: "layers",
  cursor: "ns-resize",
  begin(viewport, start) {
    const from = viewport.frame;
    const perFrame = clamp((0.8 * start.height) / Math.max(1, viewport.frames), 1.5, 30);
    return {
      move(point) {
        viewport.goTo(from + Math.round((point.y - start.y) / perFrame));
      },
    };
  },
};
