// The row of tools, built from the table of tools and the table of commands below; menus; the help sheet.

import { t, told } from "../i18n.js";
import { KEY_MAP_TITLES, KEY_MAPS, keyLabel, keysOf } from "./keys.js";
import { make, Menu } from "./menu.js";
import { presetRows, shownRow } from "./presets.js";
import { spaceGroups } from "./spacemenu.js";
import { TOOLS } from "./tools/index.js";

/** [command, argument, label, icon, place]; place: "bar" always, "wide" on wide screens and in the menu, "menu" only there. */
const COMMANDS = [
  ["rotate", -90, t("Rotate left"), "rotate-ccw", "wide"],
  ["rotate", 90, t("Rotate right"), "rotate-cw", "wide"],
  ["flip", "horizontal", t("Flip left and right"), "flip-horizontal-2", "wide"],
  ["flip", "vertical", t("Flip top and bottom"), "flip-vertical-2", "wide"],
  ["invert", undefined, t("Invert grey"), "blend", "wide"],
  ["zoom", 1.25, t("Zoom in"), "zoom-in", "menu"],
  ["zoom", 0.8, t("Zoom out"), "zoom-out", "menu"],
  ["fit", undefined, t("Fit to viewport"), "expand", "menu"],
  ["native", undefined, t("One to one pixels"), "scan", "menu"],
  ["cine", undefined, t("Play or stop"), "play", "bar"],
  ["reset", undefined, t("Reset the view"), "rotate-ccw-square", "bar"],
  ["annotations", undefined, t("Texts: full, minimal, none"), "captions", "wide"],
  ["maximise", undefined, t("Maximise the viewport"), "maximize", "wide"],
  ["help", undefined, t("Keys and help"), "keyboard", "wide"],
];

const WORDS = {
  tool: (value) => t("{tool} in hand", { tool: TOOLS.find(({ name }) => name === value)?.label ?? value }),
  "next-plane": () => t("As acquired, axial, coronal, sagittal"),
  "next-projection": () => t("Slice, MIP, MinIP, mean"),
  slab: (value) => (value < 0 ? t("Thinner slab") : t("Thicker slab")),
  preset: (value) => t("Window preset {n}", { n: value + 1 }),
  viewport: (value) => (value < 0 ? t("Viewport before") : t("Viewport after")),
  frame: (value) => (value < 0 ? t("Image before") : t("Image after")),
  end: (value) => (value === "first" ? t("First image") : t("Last image")),
  series: (value) => (value < 0 ? t("Series before") : t("Series after")),
  cancel: () => t("Close what is open, stop cine"),
  "cancel-reset": () => t("Close what is open; else reset the view"),
};

const GREY = /^gr[ae]y$/i;

export class Toolbar {
  /** @param run called as run(command, argument, event) @param state what the menus show: {viewport, layout, tool, keyMap} */
  constructor(element, { run, icon, state }) {
    this.element = element;
    this.run = run;
    this.icon = icon;
    this.state = state;
    this.menus = [];
    this.words = { ...WORDS };
    this.groups = new Map();
    this.more = [];
    this.#tools();
    this.#space();
    this.#added();
    this.#commands();
    this.#layouts();
    this.#more();
  }

  get map() {
    return KEY_MAPS[this.state().keyMap] ?? KEY_MAPS.reader;
  }

  #button(group, { label, icon, command, argument, hint = "" }) {
    const keys = keysOf(command, argument, this.map);
    const title = `${label}${keys.length ? ` (${keys.join(", ")})` : ""}${hint ? `\n${hint}` : ""}`;
    const button = make("button", "tool", group, { type: "button", title, "aria-label": label, "data-command": command });
    button.append(this.icon(icon));
    button.addEventListener("click", (event) => this.run(command, argument, event));
    return button;
  }

  #tools() {
    const group = make("div", "group", this.element, { role: "group", "aria-label": t("Tool in hand") });
    this.toolButtons = new Map();
    for (const tool of TOOLS) {
      if (tool.group) continue;
      const button = this.#button(group, { label: tool.label, icon: tool.icon, command: "tool", argument: tool.name, hint: tool.hint });
      this.toolButtons.set(tool.name, button);
      if (tool.name === "window") this.#menu(group, { label: t("Window presets"), icon: "chevron-down", name: "presets", fill: (menu) => this.#presets(menu) });
    }
  }

  meaning(command, argument) {
    return meaningOf(command, argument, this.words);
  }

  /** Where groups of features stand: after the planes. */
  #added() {
    this.added = make("div", "added", this.element);
  }

  /** A group of buttons and menus of a feature; the same one for the same name. */
  group(name, label) {
    if (!this.groups.has(name)) this.groups.set(name, make("div", "group", this.added, { role: "group", "aria-label": label }));
    return this.groups.get(name);
  }

  /** A button that runs a command. @param options {label, icon, command, argument, hint} */
  button(group, options) {
    return this.#button(group, options);
  }

  /** A menu. @param options {label, icon, name, fill(menu)} */
  menu(group, options) {
    return this.#menu(group, options);
  }

  #commands() {
    const group = make("div", "group wide", this.element, { role: "group", "aria-label": t("Turn and invert") });
    const bar = make("div", "group", this.element, { role: "group", "aria-label": t("Play and reset") });
    const tail = make("div", "group wide", this.element, { role: "group", "aria-label": t("Page") });
    this.commandButtons = new Map();
    for (const [command, argument, label, icon, place] of COMMANDS) {
      if (place === "menu") continue;
      const home = place === "bar" ? bar : ["annotations", "maximise", "help"].includes(command) ? tail : group;
      this.commandButtons.set(`${command} ${argument ?? ""}`.trim(), this.#button(home, { label, icon, command, argument }));
    }
  }

  #menu(group, options) {
    const menu = new Menu(group, { ...options, icon: this.icon(options.icon) });
    this.menus.push(menu);
    return menu;
  }

  #presets(menu) {
    const { viewport } = this.state();
    const rows = presetRows(viewport?.opened?.presets);
    const view = { ...viewport?.header?.view };
    const shown = shownRow(rows, view);
    if (!rows.length) menu.heading(t("No presets for this series"));
    let group = null;
    for (const row of rows) {
      const { preset, detail, key, own } = row;
      const label = told(row.label);
      if (own !== group) menu.heading(own ? t("From the file") : t("Presets"));
      group = own;
      menu.item({ label, detail, key, checked: row === shown, run: () => this.run("choose-preset", preset) });
    }
    const maps = viewport?.opened?.color_maps ?? [];
    if (!maps.length) return;
    menu.heading(t("Colour map"));
    menu.item({ label: t("Grey"), checked: GREY.test(view.color_map ?? "grey"), run: () => this.run("color-map", null) });
    for (const map of maps) {
      const name = typeof map === "string" ? map : map.name;
      if (name && !GREY.test(name)) menu.item({ label: told(name.replaceAll("_", " ")), checked: view.color_map === name, run: () => this.run("color-map", name) });
    }
  }

  #space() {
    const group = make("div", "group", this.element, { role: "group", "aria-label": t("Planes and volumes") });
    const keys = keysOf("next-plane", undefined, this.map).join();
    this.#menu(group, {
      label: `${t("Planes, slabs, volume")}${keys ? ` (${keys})` : ""}`,
      icon: "box",
      name: "space",
      fill: (menu) => {
        const { viewport } = this.state();
        if (!viewport?.inSpace) {
          menu.heading(t("This stack makes no volume"));
          menu.note(told(viewport?.opened?.geometry_reason) ?? t("Open a series first."));
          return;
        }
        for (const { heading, items } of spaceGroups(viewport.standpoint)) {
          menu.heading(heading);
          for (const { change, turns, ...item } of items) menu.item({ ...item, run: () => this.run("space", { change, turns }) });
        }
      },
    });
  }

  #layouts() {
    const group = make("div", "group layouts", this.element, { role: "group", "aria-label": t("Layout") });
    this.layoutMenu = this.#menu(group, { label: t("Layout"), icon: "layout-grid", name: "layout", fill: () => {} });
  }

  #more() {
    const group = make("div", "group rest", this.element, { role: "group", "aria-label": t("More") });
    this.moreMenu = this.#menu(group, { label: t("More"), icon: "ellipsis", name: "more", fill: (menu) => this.#all(menu) });
  }

  /** A command of a feature, with its name and icon, in the menu of everything. */
  addMore(command, label, icon) {
    this.more.push({ command, label, icon });
  }

  #all(menu) {
    for (const [command, argument, label, icon] of COMMANDS) {
      const [key = ""] = keysOf(command, argument, this.map);
      menu.item({ label, icon: this.icon(icon), key, run: () => this.run(command, argument) });
    }
    for (const { command, label, icon } of this.more) menu.item({ label, icon: this.icon(icon), key: keysOf(command, undefined, this.map)[0] ?? "", run: () => this.run(command) });
  }

  /** True when something was open and is now closed. */
  dismiss() {
    return this.menus.map((menu) => menu.close()).some(Boolean);
  }

  openMore() {
    this.moreMenu.open();
  }

  /** Shows what is in hand and what runs. */
  refresh() {
    const { tool, viewport } = this.state();
    for (const [name, button] of this.toolButtons) button.setAttribute("aria-pressed", String(name === tool));
    const cine = this.commandButtons.get("cine");
    const playing = Boolean(viewport?.playing);
    if (cine.getAttribute("aria-pressed") !== String(playing)) {
      cine.setAttribute("aria-pressed", String(playing));
      cine.replaceChildren(this.icon(playing ? "pause" : "play"));
    }
    this.commandButtons.get("invert").setAttribute("aria-pressed", String(Boolean(viewport?.wish.inverted)));
  }
}

/** What a command does, in words. */
function meaningOf(command, argument, words) {
  const named = COMMANDS.find(([name, value]) => name === command && value === argument)?.[2];
  return named ?? words[command]?.(argument) ?? command;
}

/** Rows of the help sheet: [keys, meaning], keys of one meaning together. */
export function helpRows(map, words = WORDS) {
  const rows = new Map();
  for (const [key, command, argument] of map) {
    const meaning = command === "preset" ? t("Window presets 1 to 9") : meaningOf(command, argument, words);
    rows.set(meaning, [...(rows.get(meaning) ?? []), keyLabel(key)]);
  }
  return [...rows].map(([meaning, keys]) => [keys.length > 4 ? [keys[0], "…", keys.at(-1)] : keys, meaning]);
}

/** Fills and opens the help dialog. */
export function showHelp(dialog, mapName, chooseMap, words = WORDS) {
  const body = dialog.querySelector("[data-keys]");
  const fill = (name) => {
    body.replaceChildren();
    for (const [keys, meaning] of helpRows(KEY_MAPS[name], words)) {
      const row = make("div", "", body);
      const term = make("dt", "", row);
      for (const key of keys) {
        if (key === "…") term.append("…");
        else make("kbd", "", term).textContent = key;
      }
      make("dd", "", row).textContent = meaning;
    }
  };
  const select = dialog.querySelector("select");
  select.replaceChildren(...Object.entries(KEY_MAP_TITLES).map(([name, title]) => new Option(title, name, false, name === mapName)));
  select.onchange = () => {
    fill(select.value);
    chooseMap(select.value);
  };
  fill(mapName);
  dialog.showModal();
  // Not the first control: an arrow key there would change the key map unasked.
  dialog.querySelector("button").focus();
}
