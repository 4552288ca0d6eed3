// Any View as a link: into the clipboard, or into a field to copy from where the browser lets no page write there.

import { t } from "../../../i18n.js";
import { make } from "../../menu.js";
import { remark } from "../remark.js";
import { studyOf } from "../studies.js";
import { linkTo } from "./views.js";

export class Link {
  constructor(workbench) {
    this.workbench = workbench;
  }

  /** Of the picture of the active pane. */
  copy() {
    const viewport = this.workbench.active;
    const view = viewport.exact ? viewport.header.view : viewport.wish;
    if (!viewport.source?.stack || !viewport.header) return remark(viewport, t("There is no picture to link to."), { trouble: true });
    const series = viewport.source.series.series_instance_uid;
    return this.give(linkTo(studyOf(this.workbench, viewport.source), { ...view, series }, location.origin), viewport);
  }

  async give(address, viewport = this.workbench.active) {
    try {
      await navigator.clipboard.writeText(address);
      remark(viewport, t("The link to this picture is in the clipboard."));
    } catch {
      this.#show(address);
    }
  }

  #show(address) {
    const dialog = make("dialog", "link-box", document.body, { "aria-labelledby": "link-box-title" });
    const form = make("form", "", dialog, { method: "dialog" });
    make("h2", "", form, { id: "link-box-title" }).textContent = t("Link to this picture");
    make("p", "quiet", form).textContent = t("The browser keeps pages away from the clipboard here. Copy it from this field.");
    const field = make("input", "", form, { readonly: "", "aria-labelledby": "link-box-title" });
    field.value = address;
    make("button", "", form).textContent = t("Close");
    dialog.addEventListener("close", () => dialog.remove());
    dialog.showModal();
    field.focus();
    field.select();
  }
}
