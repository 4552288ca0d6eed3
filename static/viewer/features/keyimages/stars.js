// The mark of a pane that shows exactly what a key image is, and the flash when one is made.

import { t } from "../../../i18n.js";

const FLASH = 120;

export class Stars {
  constructor(workbench, store) {
    this.workbench = workbench;
    this.store = store;
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
  }

  /** Puts the mark on a pane, or takes it off. */
  show(viewport) {
    const found = viewport.header && viewport.state === "shown" ? this.store.showing(viewport.header.view) : null;
    const mark = this.#mark(viewport);
    mark.hidden = !found;
    mark.title = found?.note ?? "";
  }

  #mark(viewport) {
    const { marks } = viewport.overlay;
    const known = marks.querySelector(".mark.key");
    if (known) return known;
    const mark = document.createElement("span");
    mark.className = "mark key";
    mark.append(this.workbench.icon("star"), t("key image"));
    marks.append(mark);
    return mark;
  }

  flash({ element }) {
    if (this.still.matches) return;
    element.setAttribute("data-flash", "");
    setTimeout(() => element.removeAttribute("data-flash"), FLASH);
  }
}
