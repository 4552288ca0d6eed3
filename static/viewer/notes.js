// Notes on a pane's series and on the picture that is painted, folded until someone wants them. Imports only words.

import { t, told } from "../i18n.js";

const said = (warning) => told(typeof warning === "string" ? warning : (warning.message ?? ""));

export class Notes {
  constructor(stage) {
    this.element = document.createElement("details");
    this.element.className = "warnings";
    stage.append(this.element);
    this.clear();
  }

  clear() {
    this.element.hidden = true;
    this.element.open = false;
    this.written = "";
  }

  /** Each text once, whoever says it. */
  show(...lists) {
    const texts = [...new Set(lists.flatMap((list) => list ?? []).map(said))].filter(Boolean);
    if (texts.join() === this.written) return;
    this.written = texts.join();
    this.element.hidden = !texts.length;
    const summary = document.createElement("summary");
    summary.textContent = texts.length === 1 ? t("1 note") : t("{n} notes", { n: texts.length });
    const list = document.createElement("ul");
    for (const text of texts) list.append(Object.assign(document.createElement("li"), { textContent: text }));
    this.element.replaceChildren(summary, list);
  }
}
