// What the writer must know now, each thing once, over the text: said when it begins, gone when it ends. Imports nothing of ours
// but elements.

import { make } from "../viewer/menu.js";

export class Notices {
  constructor(element) {
    this.element = element;
    element.classList.add("report-notices");
    this.shown = new Map();
  }

  /** Shows or renews a notice. @param what {text, tone: "trouble" | "good" | "", actions: [[label, run, name]], more: element} */
  set(name, { text, tone = "", actions = [], more = null }) {
    const before = this.shown.get(name);
    if (before?.text === text && !more) return before.element;
    const element = before?.element ?? make("div", "note report-notice", this.element, { "data-notice": name });
    element.className = `note report-notice ${{ trouble: "danger", good: "good" }[tone] ?? ""}`.trim();
    element.setAttribute("role", tone === "trouble" ? "alert" : "status");
    const words = make("p", "");
    words.textContent = text;
    const row = make("div", "row");
    for (const [label, run, act] of actions) {
      const button = make("button", "", row, { type: "button", ...(act ? { "data-act": act } : {}) });
      button.textContent = label;
      button.addEventListener("click", run);
    }
    element.replaceChildren(words, ...(more ? [more] : []), ...(actions.length ? [row] : []));
    this.shown.set(name, { text, element });
    return element;
  }

  /** Whether one of them has the button of an act. */
  offers(act) {
    return Boolean(this.element.querySelector(`[data-act="${act}"]`));
  }

  clear(name) {
    this.shown.get(name)?.element.remove();
    this.shown.delete(name);
  }

  clearAll() {
    for (const name of [...this.shown.keys()]) this.clear(name);
  }
}
