// Segmentations and structure sets over the picture of a pane: which of them, which parts, how strongly. The legend is the
// server's; what is on is part of the View.

import { t } from "../../../i18n.js";
import { make } from "../../menu.js";
import { rest } from "../rest.js";

const USUAL = 0.5;
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

  /** Draws the row of one object: on or off, opacity, and the legend under it. */
  draw(parent, object) {
    const { sop_instance_uid: uid } = object;
    const viewport = this.workbench.active;
    const itself = viewport.source?.series.series_instance_uid === object.series_instance_uid;
    const box = make("div", "segmentation", parent);
    const label = make("label", "switch", box);
    const input = make("input", "", label, { type: "checkbox", "data-focus": `on ${uid}` });
    input.checked = Boolean(this.on(uid));
    input.disabled = itself || !viewport.header;
    label.append(t("Over the picture of the active viewport"));
    input.addEventListener("change", () => {
      this.set(uid, { segments: input.checked ? "all" : [] });
      this.workbench.side.refresh("objects");
    });
    if (itself) make("p", "quiet", box).textContent = t("The active viewport shows this object itself. Choose the series it was made on.");
    if (!this.on(uid)) return;
    this.#opacity(box, uid);
    this.#legend(box, uid);
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

  #legend(box, uid) {
    const held = this.legends.get(uid) ?? this.#fetch(uid);
    if (held.state === "loading") make("p", "quiet", box).textContent = t("Loading…");
    else if (held.state === "failed") make("p", "note danger", box, { role: "alert" }).textContent = t("The legend could not be loaded. {why}", { why: held.problem });
    else if (!held.segments.length) make("p", "quiet", box).textContent = t("It holds no segments.");
    else this.#rows(box, uid, held.segments);
  }

  #fetch(uid) {
    const held = { state: "loading", segments: [], problem: "" };
    this.legends.set(uid, held);
    rest(this.address(uid, "segments/"))
      .then(
        ({ segments }) => Object.assign(held, { state: "ready", segments }),
        (problem) => {
          Object.assign(held, { state: "failed", problem: problem.message });
          setTimeout(() => this.legends.delete(uid), 2000); // looked for again when the panel is next drawn
        },
      )
      .then(() => this.workbench.side.refresh("objects"));
    return held;
  }

  #rows(box, uid, segments) {
    const all = segments.map(({ number }) => number);
    const now = this.on(uid).segments;
    const list = make("ul", "legend", box);
    for (const { number, label, color, category, type, algorithm } of segments) {
      const row = make("li", "", list);
      const holder = make("label", "", row, { title: [category, type, algorithm].filter(Boolean).join(", ") });
      const input = make("input", "", holder, { type: "checkbox", "data-focus": `segment ${uid} ${number}` });
      input.checked = now === "all" || now.includes(number);
      const swatch = make("span", "swatch", holder);
      if (/^#[0-9a-f]{6}$/i.test(color ?? "")) swatch.style.background = color;
      make("span", "name", holder).textContent = label || type || t("Segment {n}", { n: number });
      input.addEventListener("change", () => {
        this.set(uid, { segments: turned(this.on(uid)?.segments ?? [], all, number, input.checked) });
        this.workbench.side.refresh("objects");
      });
    }
  }
}
