// Segmentations and structure sets over the picture of a pane: which of them, which parts, how strongly. The legend is the
// server's; what is on is part of the View.

import { t, told } from "../../../i18n.js";
import { make } from "../../menu.js";
import { rest } from "../rest.js";
import { goToPlace } from "./going.js";

const USUAL = 0.4;
/** Legends of more objects than these are fetched only when they are turned on. */
const FETCHED_AT_ONCE = 6;
const KINDS = new Set(["seg", "rtstruct"]);

/** [{sop_instance_uid, segments: [n] | "all", opacity}] with one changed; with no segments it is gone. */
export function chosen(list, uid, part) {
  const before = (list ?? []).find(({ sop_instance_uid: one }) => one === uid) ?? { sop_instance_uid: uid, segments: "all", opacity: USUAL };
  const now = { ...before, ...part };
  const others = (list ?? []).filter(({ sop_instance_uid: one }) => one !== uid);
  return Array.isArray(now.segments) && !now.segments.length ? others : [...others, now];
}

/** The segments that stay on when number `n` of `all` is turned on or off. */
export function turned(segments, all, n, on) {
  const now = new Set(segments === "all" ? all : (segments ?? []));
  if (on) now.add(n);
  else now.delete(n);
  return now.size === all.length ? "all" : all.filter((one) => now.has(one));
}

export class Segments {
  /** @param address of a door of an instance: address(uid, "segments/") */
  constructor(workbench, address) {
    this.workbench = workbench;
    this.address = address;
    this.legends = new Map();
    this.unfolded = new Set();
  }

  static of(objects) {
    return objects.filter(({ kind }) => KINDS.has(kind));
  }

  /** What the active pane has of one, or null. */
  on(uid) {
    return this.workbench.active.wish.segmentations?.find(({ sop_instance_uid: one }) => one === uid) ?? null;
  }

  set(uid, part) {
    const viewport = this.workbench.active;
    viewport.change({ segmentations: chosen(viewport.wish.segmentations, uid, part) });
  }

  /** Draws the row of one object: on or off, opacity, and the legend under it. @param many how many such objects there are */
  draw(parent, object, many) {
    const { sop_instance_uid: uid } = object;
    const viewport = this.workbench.active;
    const on = Boolean(this.on(uid));
    const legend = this.legends.get(uid) ?? (on || many <= FETCHED_AT_ONCE ? this.#fetch(uid) : null);
    const itself = viewport.source?.series.series_instance_uid === object.series_instance_uid;
    const box = make("div", "segmentation", parent);
    if (legend?.reason) make("p", "quiet", box).textContent = t("Cannot be drawn as it should: {why}", { why: told(legend.reason) });
    const tile = this.#madeOn(legend);
    if (tile && !on) this.#goThere(box, uid, tile);
    else this.#switch(box, uid, on, itself || !viewport.header);
    if (itself && !tile) make("p", "quiet", box).textContent = t("The active viewport shows this object itself. Choose the series it was made on.");
    if (!on) return;
    this.#opacity(box, uid);
    this.#legend(box, uid, legend);
  }

  /** A tile of the series that it was made on, where the active pane shows another one. */
  #madeOn(legend) {
    const { active, thumbnails } = this.workbench;
    const series = legend?.series ?? [];
    if (!series.length || series.includes(active.source?.series.series_instance_uid)) return null;
    return thumbnails.tilesOf(active.source?.study).find((tile) => tile.stack && series.includes(tile.series.series_instance_uid)) ?? null;
  }

  #goThere(box, uid, tile) {
    const button = make("button", "small", box, { type: "button", "data-focus": `on ${uid}` });
    button.textContent = t("Show it over {series}", { series: [tile.series.modality, tile.series.description].filter(Boolean).join(" ") });
    button.addEventListener("click", () => {
      this.workbench.show(this.workbench.active, tile, { segmentations: chosen([], uid, {}) });
      this.workbench.side.refresh("objects");
    });
  }

  #switch(box, uid, on, disabled) {
    const label = make("label", "switch", box);
    const input = make("input", "", label, { type: "checkbox", "data-focus": `on ${uid}` });
    input.checked = on;
    input.disabled = disabled;
    label.append(t("Over the picture of the active viewport"));
    input.addEventListener("change", () => {
      this.set(uid, { segments: input.checked ? "all" : [] });
      this.workbench.side.refresh("objects");
    });
  }

  #opacity(box, uid) {
    const label = make("label", "opacity", box);
    make("span", "", label).textContent = t("Opacity");
    const input = make("input", "", label, { type: "range", min: "0", max: "100", step: "5", "data-focus": `opacity ${uid}` });
    const shown = make("output", "", label);
    const say = () => (shown.textContent = `${input.value} %`);
    input.value = String(Math.round((this.on(uid).opacity ?? USUAL) * 100));
    say();
    input.addEventListener("input", () => {
      say();
      this.set(uid, { opacity: Number(input.value) / 100 });
    });
  }

  #legend(box, uid, held) {
    if (held.state === "loading") make("p", "quiet", box).textContent = t("Loading…");
    else if (held.state === "failed") make("p", "note danger", box, { role: "alert" }).textContent = t("The legend could not be loaded. {why}", { why: held.problem });
    else if (!held.segments.length) make("p", "quiet", box).textContent = t("It holds no segments.");
    else this.#rows(box, uid, held.segments);
  }

  #fetch(uid) {
    const held = { state: "loading", segments: [], series: [], reason: null, problem: "" };
    this.legends.set(uid, held);
    rest(this.address(uid, "segments/"))
      .then(
        ({ segments, series, reason }) => Object.assign(held, { state: "ready", segments, series: series ?? [], reason: reason ?? null }),
        (problem) => {
          Object.assign(held, { state: "failed", problem: problem.message });
          setTimeout(() => this.legends.delete(uid), 2000); // looked for again when the panel is next drawn
        },
      )
      .then(() => this.workbench.side.refresh("objects"));
    return held;
  }

  /** Leads to where a segment covers most. */
  #goTo(row, uid, number, name, largest) {
    const words = t("Go to where {name} is largest", { name });
    const button = make("button", "tool", row, { type: "button", "aria-label": words, title: words, "data-focus": `go ${uid} ${number}` });
    button.append(this.workbench.icon("locate"));
    button.addEventListener("click", () => goToPlace(this.workbench.active, largest));
  }

  #rows(box, uid, segments) {
    const all = segments.map(({ number }) => number);
    const now = this.on(uid).segments;
    const list = make("ul", "legend", box);
    for (const { number, label, color, category, type, algorithm, reason, largest } of segments) {
      const row = make("li", "", list);
      const holder = make("label", "", row, { title: [category, type, algorithm].filter(Boolean).join(", ") });
      const input = make("input", "", holder, { type: "checkbox", "data-focus": `segment ${uid} ${number}` });
      input.checked = now === "all" || now.includes(number);
      const swatch = make("span", "swatch", holder);
      if (/^#[0-9a-f]{6}$/i.test(color ?? "")) swatch.style.background = color;
      const words = make("span", "words", holder);
      make("span", "", words).textContent = label || type || t("Segment {n}", { n: number });
      if (reason) make("span", "quiet", words).textContent = told(reason);
      if (largest) this.#goTo(row, uid, number, label || type || t("Segment {n}", { n: number }), largest);
      input.addEventListener("change", () => {
        this.set(uid, { segments: turned(this.on(uid)?.segments ?? [], all, number, input.checked) });
        this.workbench.side.refresh("objects");
      });
    }
  }
}
