// Turn: what is shown follows the hand, as if it were held. A slice becomes an oblique one through the same point.

import { t } from "../../i18n.js";
import { directions, middleOf, turnPart, unturned } from "../space.js";

export const turnTool = {
  name: "turn",
  label: t("Turn"),
  hint: t("Drag to look from another side"),
  icon: "rotate-3d",
  cursor: "move",
  begin(viewport, start) {
    const from = directions(viewport.wish, viewport.header);
    if (!from || !viewport.inSpace) return { move: () => viewport.sayNoVolume() };
    const { wish, opened, header } = viewport;
    const still = wish.center ? {} : { center: middleOf(header) };
    return {
      move(point) {
        const way = unturned([point.x - start.x, point.y - start.y], wish);
        viewport.change({ ...turnPart(from, way, wish, opened), ...still });
      },
    };
  },
};
