// The panel beside the pictures: one tab for each thing that hangs in it, one open at a time, folded away when not wanted.

import { make } from "./menu.js";

export class Side {
  /** @param element the aside @param icon a copy of an icon by name @param remembered {get, set} */
  constructor(element, { icon, remembered }) {
    this.element = element;
    this.icon = icon;
    this.remembered = remembered;
    this.panels = new Map();
    this.tabs = make("div", "tabs", element, { role: "tablist" });
    this.body = make("div", "body", element);
    this.open = null;
    this.begun = false;
  }

  /** The desk is laid: the panel that was open the last time opens, now or when it is added. What fills a panel looks at
   *  the active pane, which is not there before. */
  begin() {
    this.begun = true;
    for (const name of [...this.panels.keys()]) this.#asBefore(name);
  }

  #asBefore(name) {
    if (this.begun && this.remembered.get("panel", "") === name && innerWidth > 1100) this.show(name);
  }

  /** @param panel {name, label, icon, fill(element)}: `fill` draws the panel whenever it is shown or refreshed */
  add(panel) {
    const tab = make("button", "tab", this.tabs, { type: "button", role: "tab", id: `tab-${panel.name}`, "aria-selected": "false", "aria-controls": `panel-${panel.name}`, "aria-label": panel.label, title: panel.label });
    tab.append(this.icon(panel.icon));
    const count = make("span", "count", tab);
    const body = make("section", "contents", this.body, { role: "tabpanel", id: `panel-${panel.name}`, "aria-labelledby": `tab-${panel.name}` });
    body.hidden = true;
    tab.addEventListener("click", () => this.toggle(panel.name));
    this.panels.set(panel.name, { panel, tab, count, body });
    this.element.hidden = false;
    this.element.toggleAttribute("data-open", this.open !== null);
    this.#asBefore(panel.name);
  }

  show(name) {
    const wanted = this.panels.get(name);
    if (!wanted) return;
    this.open = name;
    for (const [other, { tab, body }] of this.panels) {
      tab.setAttribute("aria-selected", String(other === name));
      body.hidden = other !== name;
    }
    this.element.setAttribute("data-open", "");
    this.remembered.set("panel", name);
    this.refresh(name);
  }

  toggle(name) {
    if (this.open === name) this.fold();
    else this.show(name);
  }

  fold() {
    this.open = null;
    this.remembered.set("panel", "");
    for (const { tab, body } of this.panels.values()) {
      tab.setAttribute("aria-selected", "false");
      body.hidden = true;
    }
    this.element.removeAttribute("data-open");
  }

  /** Draws a panel anew where it is in sight. */
  refresh(name) {
    const found = this.panels.get(name);
    if (found && this.open === name) found.panel.fill(found.body);
  }

  /** The number on a tab; 0 shows none. */
  count(name, number) {
    const found = this.panels.get(name);
    if (found) found.count.textContent = number ? String(number) : "";
  }
}
