// The sections of the report as a list to go by, where there is room for it: what waits in each is counted.

import { t } from "../i18n.js";
import { make } from "../viewer/menu.js";

export class Outline {
  constructor(element, editor) {
    this.editor = editor;
    this.items = new Map();
    const list = make("ul", "", element);
    for (const [id, { section }] of editor.sections) {
      const button = make("button", "plain outline-item", make("li", "", list), { type: "button", "data-level": String(section.level ?? 1) });
      make("span", "", button).textContent = section.title;
      const count = make("span", "count", button);
      button.addEventListener("click", () => editor.go(id));
      this.items.set(id, { button, count });
    }
    editor.addEventListener("refreshed", () => this.draw());
    editor.addEventListener("field", () => this.draw());
    this.draw();
  }

  draw() {
    const waiting = new Set(this.editor.waiting);
    const now = this.editor.last?.element.closest("[data-section]")?.dataset.section;
    for (const [id, { button, count }] of this.items) {
      const { section, element } = this.editor.sections.get(id);
      const open = section.fields.filter((field) => waiting.has(field.id)).length;
      button.hidden = element.hidden;
      button.toggleAttribute("data-now", id === now);
      count.textContent = open ? String(open) : "";
      button.setAttribute("aria-label", open ? t("{section}: {n} to fill", { section: section.title, n: open }) : section.title);
    }
  }
}
