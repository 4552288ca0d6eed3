// Window: right is wider, up is brighter, in proportion to the present width.

import { t } from "../../i18n.js";
import { draggedWindow } from "../geometry.js";

export const windowTool = {
  name: "window",
  label: t("Window"),
  hint: t("Drag right for wider, up for brighter"),
  icon: "contrast",
  cursor: "crosshair",
  begin(viewport, start) {
    if (viewport.wish.projection === "volume") return { move: () => viewport.sayNoWindow() };
    const from = viewport.window;
    return {
      move(point) {
        viewport.change({
          ...draggedWindow(from, point.x - start.x, point.y - start.y),
          voi_lut_function: from.voi_lut_function,
        });
      },
    };
  },
};
