// The bar over a picture while the volume of the next one loads: how far it is, and a way back. Imports only words.

import { t } from "../i18n.js";

const AFTER = 300;

export class Loading {
  /** @param cancel called when the reader would rather have what was there */
  constructor(stage, cancel) {
    this.element = document.createElement("div");
    this.element.className = "loading";
    this.element.setAttribute("role", "status");
    this.text = document.createElement("span");
    this.bar = document.createElement("progress");
    this.bar.setAttribute("aria-label", t("Loading the volume"));
    this.button = Object.assign(document.createElement("button"), { type: "button", textContent: t("Cancel") });
    this.button.addEventListener("click", cancel);
    this.element.append(this.text, this.bar, this.button);
    stage.append(this.element);
    this.hide();
  }

  /** {done, total} images; nothing is shown for what takes a moment. */
  show({ done = 0, total = 0 }) {
    this.since ??= performance.now();
    this.text.textContent = total ? t("Loading the volume: {done} of {total} images", { done, total }) : t("Loading the volume");
    this.bar.max = total || 1;
    this.bar.value = done;
    if (performance.now() - this.since >= AFTER) this.element.hidden = false;
  }

  hide() {
    this.element.hidden = true;
    this.since = null;
  }
}
