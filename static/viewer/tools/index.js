// The tools, in the order of the toolbar. A new tool is a file beside this one and a row here.

import { panTool } from "./pan.js";
import { scrollTool } from "./scroll.js";
import { turnTool } from "./turn.js";
import { windowTool } from "./window.js";
import { zoomTool } from "./zoom.js";

export const TOOLS = [windowTool, zoomTool, panTool, scrollTool, turnTool];

/** A tool of a feature: {name, label, hint, icon, cursor, begin(viewport, point), group, draws}. With a `group` it has no button
 *  among the first tools; its feature shows it. One that `draws` means its clicks: they neither pick nor maximise. */
export function addTool(tool) {
  TOOLS.push(tool);
}

export const toolNamed = (name) => TOOLS.find((tool) => tool.name === name) ?? TOOLS[0];

const grabs = [];

/** What lies on a picture and can be taken in hand there: `grab(viewport, point, tool)` answers {move(point), end()}, or null
 *  where the tool is to have the drag. */
export function addGrab(grab) {
  grabs.push(grab);
}

export function grabbed(viewport, point, tool) {
  for (const grab of grabs) {
    const held = grab(viewport, point, tool);
    if (held) return held;
  }
  return null;
}
