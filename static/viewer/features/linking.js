// Panes that know of each other: linked scrolling, reference lines, the crosshair, three planes at one key.

import { t } from "../../i18n.js";
import { keysOf, KEY_MAPS } from "../keys.js";
import { addTool } from "../tools/index.js";
import { drawCross } from "./linking/crossdraw.js";
import { Crosshair } from "./linking/crosshair.js";
import { crosshairTool, takeHandles } from "./linking/crosshands.js";
import { drawLines, linesIn } from "./linking/lines.js";
import { showMark } from "./linking/mark.js";
import { ThreePlanes } from "./linking/mpr.js";
import { Links } from "./linking/scrolling.js";

const TOOL = "crosshair";

/** Hangs this feature into the page. */
export function install(workbench) {
  const panes = () => workbench.viewports;
  const active = () => workbench.active;
  const links = new Links({ panes, active });
  const crosshair = new Crosshair({ panes, active, links, changed: () => moved() });
  const mpr = new ThreePlanes(workbench, crosshair);
  let lines = workbench.remembered.get("reference-lines", "yes") === "yes";
  let toolBefore = workbench.tool;
  let taken = false;

  function moved() {
    drawSoon();
    workbench.tell("crosshair");
  }

  // --- drawing, once per animation frame

  let drawing = false;
  function drawSoon() {
    if (drawing) return;
    drawing = true;
    requestAnimationFrame(() => {
      drawing = false;
      draw();
    });
  }
  function draw() {
    const crossed = panes().some((viewport) => crosshair.has(viewport));
    drawLines(panes(), active(), lines && !crossed);
    for (const viewport of panes()) {
      drawCross(viewport, crosshair, workbench.tool === TOOL);
      const text = viewport.state === "shown" ? links.words(viewport) : "";
      const bond = text && viewport !== active() ? links.bond(active(), viewport) : "position";
      showMark(viewport, text, Links.explained[bond]?.() ?? "", workbench.icon);
    }
  }

  // --- every pane that comes

  const known = new WeakSet();
  function meet() {
    for (const viewport of panes()) {
      if (known.has(viewport)) continue;
      known.add(viewport);
      takeHandles(viewport, crosshair);
      viewport.addEventListener("wished", ({ detail: part }) => {
        links.wished(viewport, part);
        crosshair.scrolled(viewport, part);
        drawSoon();
      });
    }
    drawSoon();
  }
  workbench.on("layout", () => {
    meet();
    mpr.changed();
  });
  workbench.on("painted", ({ viewport }) => {
    links.keep();
    links.settled(viewport);
    links.seen(viewport);
    mpr.painted(viewport);
    drawSoon();
  });
  workbench.on("opened", ({ viewport }) => mpr.opened(viewport));
  workbench.on("shown", ({ viewport }) => {
    mpr.shown(viewport);
    drawSoon();
  });
  for (const name of ["active", "state"]) workbench.on(name, drawSoon);

  // --- tool and commands

  addTool(crosshairTool(crosshair));
  workbench.on("command", ({ command, argument }) => {
    if (command === "reset") mpr.reset(active());
    mpr.hung(command);
    if (command === "tool") toolTaken(argument);
  });
  /** Taking the crosshair shows it; taking it again puts it away and gives back what was in hand. */
  function toolTaken(name) {
    if (name !== TOOL) toolBefore = name;
    else if (taken && !mpr.on) {
      crosshair.hide();
      taken = false;
      workbench.run("tool", toolBefore);
      return;
    } else if (!mpr.on || !crosshair.on) crosshair.show();
    taken = name === TOOL;
    drawSoon();
  }

  workbench.command(
    "link",
    (on) => {
      links.set("scroll", on ?? !links.scroll);
      sayLinks();
      drawSoon();
    },
    (on) => (on === false ? t("Unlink scrolling") : on ? t("Link scrolling") : t("Link or unlink scrolling")),
  );
  workbench.command("link-look", () => together("look", ["zoom"]), () => t("Zoom and pan together"));
  workbench.command("link-turn", () => links.set("turn", !links.turn), () => t("Rotate and flip together"));
  workbench.command("link-window", () => together("window", ["window_center", "window_width", "voi_lut_function"]), () => t("Window together"));
  workbench.command(
    "reference-lines",
    () => {
      lines = !lines;
      workbench.remembered.set("reference-lines", lines ? "yes" : "no");
      workbench.say(lines ? t("Reference lines shown") : t("Reference lines hidden"));
      drawSoon();
    },
    () => t("Reference lines"),
  );
  workbench.command("mpr", () => mpr.toggle(), () => t("Three planes with crosshair, and back"));
  workbench.command("crosshair-straight", () => crosshair.straighten(), () => t("Crosshair straight: axial, coronal, sagittal"));
  workbench.command("crosshair-hide", () => crosshair.hide(), () => t("Hide the crosshair"));

  /** Zoom or window of all panes like the active one, from now on and at once. */
  function together(kind, fields) {
    links.set(kind, !links[kind]);
    const { wish } = active();
    if (links[kind]) links.wished(active(), Object.fromEntries(fields.map((field) => [field, wish[field]])));
  }

  /** What linking does, or why it does nothing. */
  function sayLinks() {
    if (!links.scroll) {
      workbench.say(t("Scrolling is not linked"));
      return;
    }
    const bonds = panes().filter((one) => one !== active()).map((one) => links.bond(active(), one)).filter(Boolean);
    if (bonds.length) workbench.say(t("Scrolling is linked in {n} viewports", { n: bonds.length + 1 }));
    else active().remark(t("Nothing to link with here"), t("no other viewport shows planes that are scrolled in the same direction"));
  }

  // --- the menu

  const group = workbench.toolbar.group("linking", t("Linked viewports"));
  workbench.toolbar.menu(group, { label: t("Crosshair, three planes, linking"), icon: TOOL, name: "linking", fill });
  function fill(menu) {
    const key = (command, argument) => keysOf(command, argument, KEY_MAPS[workbench.keyMap]).at(0) ?? "";
    const item = (label, command, argument, checked = null) =>
      menu.item({ label, key: key(command, argument), checked, run: () => workbench.run(command, argument) });
    menu.heading(t("Planes"));
    item(mpr.on ? t("Back from three planes") : t("Three planes with crosshair"), "mpr", undefined);
    item(crosshair.on && workbench.tool === TOOL && !mpr.on ? t("Put the crosshair away") : t("Crosshair"), "tool", TOOL);
    if (crosshair.on && !crosshair.straight) item(t("Straighten the crosshair"), "crosshair-straight", undefined);
    if (crosshair.on && workbench.tool !== TOOL) item(t("Hide the crosshair"), "crosshair-hide", undefined);
    menu.heading(t("Fourth viewport of three planes"));
    const fourth = mpr.fourth(active()?.source);
    menu.item({ label: t("Images as acquired"), checked: fourth === "images", run: () => mpr.choose("images") });
    menu.item({ label: t("Volume picture"), checked: fourth === "volume", run: () => mpr.choose("volume") });
    menu.heading(t("Viewports that go together"));
    item(t("Reference lines"), "reference-lines", undefined, lines);
    item(t("Scrolling, by position"), "link", undefined, links.scroll);
    item(t("Zoom and pan"), "link-look", undefined, links.look);
    item(t("Window"), "link-window", undefined, links.window);
    item(t("Rotation and flips"), "link-turn", undefined, links.turn);
    const { n } = offsets();
    if (links.scroll && n) menu.note(t("Where frames of reference differ, scrolling keeps the offset at which it was linked. That is no registration. Unlink, scroll one viewport, and link again for another offset."));
  }
  const offsets = () => ({ n: panes().filter((one) => one !== active() && links.bond(active(), one) === "offset").length });

  /** For the live session: what is done within is nobody's wish, and goes on to no other pane. */
  workbench.quietly = (act) => links.quietly(act);
  workbench.crossing = {
    get: () => ({ ...crosshair.kept(), follows: crosshair.follows }),
    /** Puts the crosshair where another reader has it; null: it is not shown. */
    set(cross) {
      if (cross) crosshair.restore({ on: true, space: cross.space, point: cross.point, planes: cross.planes, follows: cross.follows });
      else if (crosshair.on) crosshair.hide();
    },
  };
  workbench.links = {
    get: () => ({ scroll: links.scroll, look: links.look, window: links.window, turn: links.turn }),
    set(kinds = {}) {
      for (const [kind, on] of Object.entries(kinds)) if (links[kind] !== on) links.set(kind, on);
      drawSoon();
    },
    /** True while panes are only laid over each other again. */
    get settling() {
      return links.settling;
    },
  };

  /** For other features: the crosshair's point in the space of a pane, else null. */
  workbench.crosshair = (viewport) => (crosshair.has(viewport) ? crosshair.point : null);

  workbench.inspect("linking", () => ({
    scroll: links.scroll,
    look: links.look,
    window: links.window,
    turn: links.turn,
    lines,
    bonds: panes().map((one) => (one === active() ? "" : links.bond(active(), one))),
    marks: panes().map((one) => links.words(one)),
    referenceLines: panes().map((one) => (one === active() || !lines ? [] : linesIn(one, active()))),
    crosshair: { on: crosshair.on, space: crosshair.space, point: crosshair.point, planes: crosshair.planes, slabs: panes().map((one) => crosshair.role(one)) },
    mpr: mpr.told,
  }));
}
