// The print sheet: what to print, a look at it, and the browser's own print dialog.

import { t } from "../../../i18n.js";
import { make } from "../../menu.js";
import { exactOf } from "./marking.js";
import { Pictures, sheetOf } from "./sheet.js";

/** Opens the dialog in which a viewport, the desk as laid out, or the key images are printed. */
export function openPrinting(workbench, store) {
  if (!document.querySelector("dialog.printing")) new Printing(workbench, store).open();
}

class Printing {
  constructor(workbench, store) {
    this.workbench = workbench;
    this.store = store;
    this.pictures = new Pictures();
    this.turn = 0;
    this.#build();
  }

  #build() {
    this.dialog = make("dialog", "printing", document.body, { "aria-labelledby": "printing-title" });
    const form = make("form", "", this.dialog, { method: "dialog" });
    make("h2", "", form, { id: "printing-title" }).textContent = t("Print");
    const choices = make("fieldset", "", form);
    make("legend", "", choices).textContent = t("What");
    this.kinds = this.#kinds().map(([kind, label]) => this.#choice(choices, "radio", "print-what", kind, label, kind === "viewport"));
    const parts = make("fieldset", "", form);
    make("legend", "", parts).textContent = t("On the pictures");
    this.texts = this.#choice(parts, "checkbox", "print-texts", "texts", t("Texts"), true);
    this.drawings = this.#choice(parts, "checkbox", "print-drawings", "drawings", t("Measurements and drawings"), true);
    this.state = make("p", "quiet", form, { role: "status" });
    const row = make("div", "row", form);
    this.go = make("button", "primary", row, { type: "button" });
    this.go.textContent = t("Print");
    this.go.addEventListener("click", () => window.print());
    make("button", "", row).textContent = t("Close");
    this.preview = make("div", "preview", this.dialog, { "aria-label": t("What will be printed"), role: "img" });
    form.addEventListener("change", () => this.draw());
    this.dialog.addEventListener("close", () => this.close());
    this.paper = make("div", "printed", document.body);
  }

  #kinds() {
    const { viewports, layout, study } = this.workbench;
    const several = viewports.filter(({ source }) => source).length > 1 && !layout.maximised;
    const marked = study.study_instance_uid ? this.store.of(study).images.length : 0;
    return [["viewport", t("This viewport")], ...(several ? [["layout", t("All viewports as laid out")]] : []), ...(marked ? [["keys", t("Key images ({n})", { n: marked })]] : [])];
  }

  #choice(parent, type, name, value, label, checked) {
    const holder = make("label", "", parent);
    const input = make("input", "", holder, { type, name, value });
    input.checked = checked;
    holder.append(label);
    return input;
  }

  open() {
    this.dialog.showModal();
    this.go.focus();
    this.draw();
  }

  close() {
    this.turn += 1;
    this.pictures.forget();
    this.dialog.remove();
    this.paper.remove();
  }

  get what() {
    const kind = this.kinds.find(({ checked }) => checked)?.value ?? "viewport";
    const { study } = this.workbench;
    return { kind, texts: this.texts.checked, drawings: this.drawings.checked, images: kind === "keys" ? this.store.of(study).images : [] };
  }

  /** Draws the pages anew; the newest choice wins. */
  async draw() {
    this.turn += 1;
    const { turn, workbench, what } = this;
    this.go.disabled = true;
    for (const part of [this.texts, this.drawings]) part.disabled = what.kind === "keys"; // those were kept as bare pictures
    this.state.textContent = t("Drawing the pictures…");
    const wanted = what.kind === "viewport" ? [workbench.active] : what.kind === "layout" ? workbench.viewports.filter(({ source }) => source) : [];
    try {
      await Promise.all(wanted.map((viewport) => exactOf(viewport)));
      const { pages, turned } = await sheetOf(workbench, what, this.pictures);
      if (turn !== this.turn) return;
      this.paper.dataset.turned = turned;
      this.paper.replaceChildren(...pages);
      this.preview.replaceChildren(...pages.map((page) => page.cloneNode(true)));
      this.preview.dataset.turned = turned;
      this.state.textContent = pages.length > 1 ? t("{n} pages", { n: pages.length }) : t("1 page");
      this.go.disabled = false;
    } catch (problem) {
      if (turn === this.turn) this.state.textContent = t("This cannot be printed: {why}", { why: problem.message });
    }
  }
}
