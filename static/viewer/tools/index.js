// The tools, in the order of the toolbar. A new tool is a file beside this one and a row here.

import { panTool } from "./pan.js";
import { scrollTool } from "./scroll.js";
import { turnTool } from "./turn.js";
import { windowTool } from "./window.js";
import { zoomTool } from "./zoom.js";

export const TOOLS = [windowTool, zoomTool, panTool, scrollTool, turnTool];

/** A tool of a feature: {name, label, hint, icon, cursor, begin(viewport, point), group}. With a `group` it has no button among
 *  the first tools; its feature shows it. */
export function addTool(tool) {
  TOOLS.push(tool);
}

export const toolNamed = (name) => TOOLS.find((tool) => tool.name === name) ?? TOOLS[0];
