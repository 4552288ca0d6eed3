// Pan: the picture follows the hand.

import { boundedPan } from "../geometry.js";

export const panTool = {
  name: "pan",
  label: "Pan",
  hint: "Drag the picture",
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
