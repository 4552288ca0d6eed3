// Of the 3D panel: projections and slabs, the whole volume and its looks, the clip box.

import { t, told } from "../../../i18n.js";
import { make } from "../../menu.js";
import { projectionPart, turningPart, volumePart, whole } from "../../space.js";
import { boundsOf, boxAround, withFace } from "./box.js";
import { clipOf, ENDS, setClip } from "./clip.js";
import { suvWords } from "./fusion.js";
import { button, choice, note, range, section } from "./controls.js";

const THICKEST = 100;
const AROUND = 60;
const capital = (text) => text[0].toUpperCase() + text.slice(1);

export class SpacePart {
  /** @param changed called when the drawing of the clip box changes without a picture */
  constructor(workbench, changed) {
    this.workbench = workbench;
    this.changed = changed;
    this.clipping = false;
  }

  get viewport() {
    return this.workbench.active;
  }

  build(element) {
    make("h2", "", element).textContent = t("Planes, slabs and 3D");
    this.reason = note(element);
    this.suv = note(element);
    this.all = make("div", "", element);
    const slabs = section(this.all, t("Projection"));
    this.projection = choice(slabs, t("Projection"), (value) => this.#project(value));
    this.slab = range(slabs, t("Slab"), (value) => this.#thicken(value));
    const body = section(this.all, t("Whole volume"));
    const row = make("div", "choice-row", body);
    this.rotating = button(row, t("Rotating MIP"), () => this.#space(turningPart(this.viewport.wish)));
    this.playing = button(row, t("Turn by itself"), () => this.workbench.run("cine"));
    this.presets = choice(body, t("Volume picture"), (value) => this.#space(volumePart(value, this.viewport.wish)));
    this.#buildClip(section(this.all, t("Clip box")));
  }

  #buildClip(element) {
    this.clip = element;
    this.clipNote = note(element);
    this.clipBody = make("div", "", element);
    this.faces = [0, 1, 2].flatMap((axis) => [0, 1].map((side) => ({ axis, side, control: range(this.clipBody, t("Side {letter}", { letter: ENDS[axis][side] }), (value) => this.#face(axis, side, value)) })));
    const row = make("div", "choice-row", this.clipBody);
    this.shown = button(row, t("Handles on the picture"), () => {
      this.clipping = !this.clipping;
      this.changed();
    });
    this.around = button(row, t("Box around the crosshair"), () => this.#around());
    this.everything = button(row, t("Whole volume"), () => this.viewport.change({ clip: null }));
  }

  show() {
    const { viewport } = this;
    const { wish, opened } = viewport;
    const usable = viewport.inSpace && viewport.state === "shown";
    this.reason.show(usable ? "" : t("This stack makes no volume. {reason}", { reason: told(opened?.geometry_reason) ?? t("Open a series first.") }));
    this.suv.show(suvWords(opened));
    this.all.hidden = !usable;
    if (!usable) return;
    const all = whole(wish);
    const projection = all ? (wish.projection === "volume" ? "volume" : "") : (wish.projection ?? "slice");
    const kinds = [["slice", t("Slice"), ""], ["mip", t("MIP"), t("brightest in a slab")], ["minip", t("MinIP"), t("darkest in a slab")], ["mean", t("Mean"), t("of a slab")]];
    const offered = kinds.map(([value, label, title]) => ({ value, label, title }));
    if (opened.volume_presets?.length) offered.push({ value: "volume", label: t("Volume"), title: t("light through the whole volume") });
    this.projection.show(projection, offered);
    const thickness = projection === "slice" || all ? 0 : Number(wish.slab_thickness) || 0;
    const text = all ? t("all of it") : thickness ? `${Number(thickness.toFixed(1))} mm` : t("one slice");
    this.slab.show(Math.min(THICKEST, thickness), { max: THICKEST, step: 0.5, text, disabled: all });
    this.rotating.setAttribute("aria-pressed", String(all && wish.projection === "mip"));
    this.playing.disabled = !all;
    this.playing.setAttribute("aria-pressed", String(viewport.playing));
    this.presets.show(wish.projection === "volume" ? wish.volume_preset : "", (opened.volume_presets ?? []).map((value) => ({ value, label: capital(told(value)) })));
    this.#showClip();
  }

  #showClip() {
    const clip = clipOf(this.viewport);
    this.clipNote.show(clip ? "" : t("A clip box cuts a volume picture. Choose one above."));
    this.clipBody.hidden = !clip;
    if (!clip) return;
    const { box, bounds } = clip;
    for (const { axis, side, control } of this.faces) {
      const cut = Math.abs(box[side][axis] - bounds[side][axis]);
      control.show(box[side][axis], { min: bounds[0][axis], max: bounds[1][axis], step: 1, text: cut < 0.5 ? t("all") : t("{n} mm cut", { n: Math.round(cut) }) });
    }
    this.shown.setAttribute("aria-pressed", String(this.clipping));
    this.around.disabled = !this.#point();
    this.around.title = this.around.disabled ? t("Set the crosshair in a slice first") : "";
  }

  // --- what is asked for

  #space(change) {
    this.workbench.run("space", { change });
  }

  #project(name) {
    const { viewport } = this;
    if (name === "volume") this.#space(volumePart(viewport.wish.volume_preset ?? viewport.opened.volume_presets[0], viewport.wish));
    else this.#space(projectionPart(name, viewport.standpoint));
  }

  /** A slice becomes a MIP, and a slab of nothing a slice. */
  #thicken(value) {
    const { viewport } = this;
    const { projection = "slice" } = viewport.wish;
    if (!value) viewport.change(projectionPart("slice", viewport.standpoint));
    else viewport.change({ projection: projection === "slice" ? "mip" : projection, slab_thickness: value });
    this.show();
  }

  #face(axis, side, value) {
    const clip = clipOf(this.viewport);
    if (!clip) return;
    setClip(this.viewport, withFace(clip.box, axis, side, value, clip.bounds), clip.bounds);
    this.show();
  }

  #point() {
    return this.workbench.crosshair?.(this.viewport) ?? null;
  }

  #around() {
    const bounds = boundsOf(this.viewport.opened?.geometry);
    const point = this.#point();
    if (!bounds || !point) return;
    setClip(this.viewport, boxAround(point, AROUND, bounds), bounds);
    this.clipping = true;
    this.changed();
  }
}
