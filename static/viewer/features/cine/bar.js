// The bar at the foot of the active pane: playing a clip, subtracting its mask, going through time at one place.

import { t } from "../../../i18n.js";
import { make } from "../../menu.js";
import { canSubtract, shiftOf, subtracts } from "./subtraction.js";

const ARROWS = [
  ["arrow-left", [-1, 0], () => t("Move the mask left")],
  ["arrow-up", [0, -1], () => t("Move the mask up")],
  ["arrow-down", [0, 1], () => t("Move the mask down")],
  ["arrow-right", [1, 0], () => t("Move the mask right")],
];

const short = (value) => String(Math.round(value * 10) / 10);

export class Bar {
  /** @param play {playable, speeds} of the feature: what the bar shows and asks for */
  constructor(workbench, feature) {
    this.workbench = workbench;
    this.feature = feature;
    this.element = make("div", "cinebar", null, { role: "group", "aria-label": t("Cine") });
    this.#clip();
    this.#subtraction();
    this.#times();
    this.element.addEventListener("pointerdown", () => this.viewport?.dispatchEvent(new Event("activate")));
  }

  #button(row, icon, label, act, attributes = {}) {
    const button = make("button", "tool", row, { type: "button", "aria-label": label, title: label, ...attributes });
    button.append(this.workbench.icon(icon));
    button.addEventListener("click", (event) => {
      act();
      // The keys stay with the picture: Space is "reset", not "the same button again".
      if (event.detail) this.viewport?.element.focus({ preventScroll: true });
    });
    return button;
  }

  #clip() {
    const { workbench } = this;
    const row = (this.clip = make("div", "row", this.element));
    this.play = this.#button(row, "play", t("Play or stop"), () => workbench.run("cine"));
    this.#button(row, "rewind", t("Slower"), () => workbench.run("cine-speed", -1));
    this.rate = make("output", "rate", row);
    this.#button(row, "fast-forward", t("Faster"), () => workbench.run("cine-speed", 1));
    this.sweep = this.#button(row, "arrow-left-right", t("Back and forth"), () => workbench.run("cine-sweep"));
    this.dropped = make("span", "dropped", row);
  }

  #subtraction() {
    const { workbench } = this;
    const row = (this.masking = make("div", "row", this.element));
    this.subtract = make("button", "worded", row, { type: "button" });
    this.subtract.textContent = t("Subtract");
    this.subtract.title = t("Subtract the mask from every image");
    this.subtract.addEventListener("click", () => workbench.run("subtract"));
    this.here = make("button", "worded", row, { type: "button" });
    this.here.textContent = t("This image as mask");
    this.here.addEventListener("click", () => workbench.run("mask-here"));
    this.shifting = make("span", "shifting", row, { role: "group", "aria-label": t("Pixel shift") });
    for (const [icon, way, label] of ARROWS) this.#button(this.shifting, icon, label(), () => workbench.run("mask-shift", way), { "data-way": way.join() });
    this.shift = make("output", "shift", this.shifting, { title: t("Shift of the mask in pixels, right and down. Shift + arrow keys move it by 1, with Ctrl by 0.1") });
  }

  #times() {
    const row = (this.times = make("label", "row times", this.element));
    this.timeName = make("span", "name", row);
    this.time = make("input", "", row, { type: "range", min: "0", step: "1" });
    this.time.addEventListener("input", () => this.feature.goToTime(Number(this.time.value)));
    // Arrows move the slider, and nothing else.
    this.time.addEventListener("keydown", (event) => event.stopPropagation());
  }

  /** Shows what holds for a pane; null hides the bar. */
  show(viewport) {
    this.viewport = viewport;
    const parts = viewport?.state === "shown" ? this.feature.parts(viewport) : null;
    this.element.hidden = !parts;
    if (!parts) return;
    if (this.element.parentElement !== viewport.element) viewport.element.append(this.element);
    this.clip.hidden = !parts.clip;
    this.masking.hidden = !parts.subtraction;
    this.times.hidden = !parts.times;
    if (parts.clip) this.#showClip(viewport);
    if (parts.subtraction) this.#showSubtraction(viewport);
    if (parts.times) this.#showTimes(parts.times);
  }

  #showClip(viewport) {
    const { player, playing } = viewport;
    if (this.play.dataset.playing !== String(playing)) {
      this.play.dataset.playing = String(playing);
      this.play.setAttribute("aria-pressed", String(playing));
      this.play.replaceChildren(this.workbench.icon(playing ? "pause" : "play"));
    }
    put(this.rate, player.speed === 1 ? t("{rate}/s", { rate: short(player.wanted) }) : t("{rate}/s, ×{speed}", { rate: short(player.wanted), speed: player.speed }));
    this.sweep.setAttribute("aria-pressed", String(player.sweep));
    const { dropped, due } = player.last ?? { dropped: 0, due: 0 };
    put(this.dropped, due ? t("{n} of {m} dropped", { n: dropped, m: due }) : "");
  }

  #showSubtraction(viewport) {
    const on = subtracts(viewport);
    this.subtract.setAttribute("aria-pressed", String(on));
    this.shifting.hidden = !on;
    const [x, y] = shiftOf(viewport);
    put(this.shift, `${x}, ${y}`);
    this.here.disabled = !canSubtract(viewport);
  }

  #showTimes({ count, at, label }) {
    this.time.max = String(count - 1);
    if (this.time !== document.activeElement || Number(this.time.value) !== at) this.time.value = String(at);
    put(this.timeName, label);
    this.time.setAttribute("aria-valuetext", label);
    this.time.setAttribute("aria-label", t("Through time at this place"));
  }
}

function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
