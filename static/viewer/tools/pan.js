// Pan: the picture follows the hand.

import { t } from "../../i18n.js";
import { boundedPan } from "../geometry.js";

export const panTool = {
  name: "pan",
  label: t("Pan"),
  hint: t("Drag the picture"),
  icon: "move",
  cursor: "grab",
  begin(viewport, start) {
    const [x, y] = viewport.pan;
    return {
      move(point) {
        const moved = [x + (point.x - start.x) / start.width, y + (point.y - start.y) / start.height];
        viewport.change({ pan: boundedPan(moved, viewport.zoom) });
      },
    };
  },
};
