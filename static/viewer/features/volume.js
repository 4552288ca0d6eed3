// The 3D panel: planes and slabs, the whole volume, its clip box, and a second series laid over the first.

import { t } from "../../i18n.js";
import { addTool } from "../tools/index.js";
import { drawClip, takeClip } from "./volume/clip.js";
import { fusionTool, Openings } from "./volume/fusion.js";
import { FusionPart } from "./volume/fusionpart.js";
import { SpacePart } from "./volume/spacepart.js";

const NAME = "volume";

/** Hangs this feature into the page. */
export function install(workbench) {
  const openings = new Openings(workbench.desk);
  const space = new SpacePart(workbench, () => drawSoon());
  const fusion = new FusionPart(workbench, openings);
  addTool(fusionTool());

  function fill(element) {
    if (!element.childElementCount) {
      space.build(element);
      fusion.build(element);
    }
    if (!workbench.active) return;
    space.show();
    fusion.show();
  }
  workbench.side.add({ name: NAME, label: t("Planes, slabs and 3D"), icon: "rotate-3d", fill });

  let waiting = false;
  function drawSoon() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      for (const viewport of workbench.viewports) drawClip(viewport, space.clipping && viewport.state === "shown");
      workbench.side.refresh(NAME);
    });
  }

  const known = new WeakSet();
  function meet() {
    for (const viewport of workbench.viewports) {
      if (known.has(viewport)) continue;
      known.add(viewport);
      takeClip(viewport);
    }
    drawSoon();
  }
  workbench.on("layout", meet);
  workbench.on("opened", ({ viewport }) => fusion.opened(viewport));
  for (const name of ["painted", "active", "state", "study", "command"]) workbench.on(name, drawSoon);

  workbench.inspect("volume", () => ({ clipping: space.clipping, fusion: fusion.told }));
}
