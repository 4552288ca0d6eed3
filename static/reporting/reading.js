// A report that is not being written: as it will be read, who signed it, and where to go from here.

import { t } from "../i18n.js";
import { make } from "../viewer/menu.js";
import { actButtons } from "./acts.js";
import { History } from "./history.js";
import { fillPreview } from "./preview.js";

export class Reading {
  constructor(element, desk) {
    this.desk = desk;
    this.acts = make("div", "row reading-acts", element);
    const { report } = desk;
    if (report.signatures?.length) this.#next();
    actButtons(desk, this.acts);
    this.sheet = make("article", "report-sheet", element, { tabindex: "0", "aria-label": t("The report as it is read") });
    this.refresh();
    if (report.signatures?.length) this.history = new History(make("details", "report-history", element), desk);
  }

  /** Draws it anew: what stands beside its text may have changed. */
  refresh() {
    fillPreview(this.sheet, this.desk.report.id, this.desk.ask);
  }

  #next() {
    const { desk } = this;
    const button = make("button", "", this.acts, { type: "button" });
    button.textContent = t("Next from the worklist");
    button.addEventListener("click", async () => {
      button.disabled = true;
      try {
        const { address } = await desk.ask("/api/worklist/next/", { method: "POST", body: {} });
        location.assign(address);
      } catch (problem) {
        button.disabled = false;
        desk.notices.set("next", { text: problem.body?.detail || problem.message });
      }
    });
  }
}
