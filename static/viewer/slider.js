// The slim bar at the pane's right edge: where in the stack, and a way to any place in it. Imports only words.

import { t } from "../i18n.js";

export class Slider {
  constructor(viewport) {
    this.viewport = viewport;
    this.element = document.createElement("div");
    this.element.className = "slider";
    this.knob = document.createElement("div");
    this.knob.className = "knob";
    this.element.append(this.knob);
    const attributes = { role: "slider", "aria-orientation": "vertical", "aria-label": t("Image of viewport {n}", { n: viewport.number }), "aria-valuemin": "1", tabindex: "0" };
    for (const [name, value] of Object.entries(attributes)) this.element.setAttribute(name, value);
    this.element.hidden = true;
    viewport.element.append(this.element);
    this.#listen();
  }

  /** @param frame 0-based @param frames how many places there are @param word what a place is called */
  show(frame, frames, word = "image") {
    this.element.hidden = frames < 2;
    if (frames < 2) return;
    this.element.setAttribute("aria-valuemax", String(frames));
    this.element.setAttribute("aria-valuenow", String(frame + 1));
    this.element.setAttribute("aria-valuetext", word === "place" ? t("place {n} of {all}", { n: frame + 1, all: frames }) : t("image {n} of {all}", { n: frame + 1, all: frames }));
    this.knob.style.setProperty("--at", String(frame / (frames - 1)));
    this.knob.style.setProperty("--part", String(1 / frames));
  }

  #listen() {
    const { element, viewport } = this;
    const follow = (event) => {
      const box = element.getBoundingClientRect();
      viewport.goTo(((event.clientY - box.top) / box.height) * viewport.frames - 0.5);
    };
    element.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      viewport.stop();
      element.setPointerCapture(event.pointerId);
      viewport.dispatchEvent(new Event("activate"));
      follow(event);
      element.onpointermove = follow;
    });
    for (const name of ["pointerup", "pointercancel"]) element.addEventListener(name, () => (element.onpointermove = null));
  }
}
