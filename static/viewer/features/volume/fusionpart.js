// Of the 3D panel: the overlay. Which series, in which colours, how strong, and in which window.

import { t, told } from "../../../i18n.js";
import { whole } from "../../space.js";
import { button, note, number, range, section, select } from "./controls.js";
import { candidates, changeFusion, fusionPart, limitsOf, limitsPart, scaleOf, suvWords } from "./fusion.js";
import { make } from "../../menu.js";

const TOOL = "fusion-window";
const HIGHEST = { SUVbw: 20 };

export class FusionPart {
  constructor(workbench, openings) {
    this.workbench = workbench;
    this.openings = openings;
    this.refusal = "";
    this.known = new Map();
  }

  get viewport() {
    return this.workbench.active;
  }

  build(element) {
    const part = section(element, t("Overlay (PET over CT)"));
    this.part = part;
    this.series = select(part, t("Series"), (uid) => this.choose(uid));
    this.reason = note(part);
    this.body = make("div", "", part);
    this.colours = select(this.body, t("Colours"), (name) => this.#change({ color_map: name }));
    this.opacity = range(this.body, t("Opacity"), (value) => this.#change({ opacity: value / 100 }));
    this.upper = range(this.body, t("Upper limit"), (value) => this.#limits(1, value));
    const row = make("div", "numbers", this.body);
    this.from = number(row, t("From"), (value) => this.#limits(0, value));
    this.to = number(row, t("To"), (value) => this.#limits(1, value));
    this.unit = make("span", "quiet", row);
    this.words = note(this.body);
    const buttons = make("div", "choice-row", this.body);
    this.tool = button(buttons, t("Drag the overlay's window"), () => this.workbench.run("tool", this.workbench.tool === TOOL ? "window" : TOOL));
    this.off = button(buttons, t("Take the overlay away"), () => this.choose(""));
  }

  show() {
    const { viewport, workbench } = this;
    const { wish, opened, source } = viewport;
    const found = candidates(workbench.study, source);
    const usable = viewport.inSpace && viewport.state === "shown" && !(whole(wish) && wish.projection === "volume");
    this.part.hidden = !found.length || !viewport.inSpace;
    if (this.part.hidden) return;
    const { fusion } = wish;
    const name = ({ number: n, modality, description }) => [n ?? "", modality, description].filter((one) => one !== "").join(" ");
    this.series.show(fusion?.series ?? "", [["", t("None")], ...found.map((series) => [series.series_instance_uid, name(series)])]);
    this.series.list.disabled = !usable;
    this.reason.show(usable ? this.refusal : t("Nothing is laid over a volume picture."));
    this.body.hidden = !fusion;
    if (!fusion) return;
    this.colours.show(fusion.color_map ?? "", (opened.color_maps ?? []).map((one) => [one, told(one.replaceAll("_", " "))]));
    this.opacity.show(Math.round((fusion.opacity ?? 0.5) * 100), { text: `${Math.round((fusion.opacity ?? 0.5) * 100)} %` });
    this.#showWindow(fusion);
    this.tool.setAttribute("aria-pressed", String(workbench.tool === TOOL));
  }

  #showWindow(fusion) {
    const other = this.known.get(fusion.series);
    const scale = scaleOf(other);
    const limits = limitsOf(fusion, scale);
    if (!limits) return;
    this.top ??= new Map();
    if (!this.top.has(fusion.series)) this.top.set(fusion.series, HIGHEST[scale.unit] ?? Number((limits[1] * 3).toPrecision(2)));
    const top = Math.max(this.top.get(fusion.series), limits[1]);
    this.upper.show(limits[1], { min: 0, max: top, step: top / 200, text: `${Number(limits[1].toPrecision(3))} ${scale.unit}`, title: suvWords(other) });
    this.from.show(limits[0]);
    this.to.show(limits[1]);
    this.unit.textContent = scale.unit;
    this.unit.title = suvWords(other);
    this.words.show(suvWords(other));
  }

  // --- what is asked for

  /** Lays a series over the active pane, or takes it away; a refusal is said with its reason. */
  async choose(uid) {
    const { viewport, workbench } = this;
    this.refusal = "";
    if (!uid) {
      viewport.change({ fusion: null });
      if (workbench.tool === TOOL) workbench.run("tool", "window");
      this.show();
      return;
    }
    const series = workbench.study.series.find((one) => one.series_instance_uid === uid);
    const { source } = viewport;
    const { part, opened, reason } = await fusionPart(viewport, series, this.openings);
    if (viewport.source !== source) return;
    if (reason) {
      this.refusal = reason;
      this.series.show("", [["", ""]]);
      viewport.remark(t("It cannot be laid over this series"), reason);
    } else {
      this.known.set(uid, opened);
      viewport.change(part);
      this.#tell(viewport);
    }
    this.show();
  }

  /** A pane opened its series anew: what lies over it is told to its corner texts again. */
  opened(viewport) {
    this.#tell(viewport);
  }

  /** What the corner texts say of the overlay. */
  #tell(viewport) {
    const uid = viewport.wish.fusion?.series;
    const series = uid && this.workbench.study.series.find((one) => one.series_instance_uid === uid);
    if (!series || !viewport.opened) return;
    const known = this.known.get(uid);
    viewport.opened.fused = { label: series.modality, ...scaleOf(known) };
    if (known) return;
    this.openings.of(series).then(
      (opened) => {
        this.known.set(uid, opened);
        if (viewport.opened) viewport.opened.fused = { label: series.modality, ...scaleOf(opened) };
      },
      () => {},
    );
  }

  #change(part) {
    if (this.viewport.wish.fusion) changeFusion(this.viewport, part);
    this.show();
  }

  #limits(side, value) {
    const { fusion } = this.viewport.wish;
    const scale = scaleOf(this.known.get(fusion?.series));
    const limits = limitsOf(fusion, scale);
    if (!limits) return;
    limits[side] = value;
    if (limits[1] > limits[0]) this.#change(limitsPart(limits, scale));
  }

  get told() {
    const { fusion } = this.viewport.wish;
    return fusion ? { ...fusion, limits: limitsOf(fusion, scaleOf(this.known.get(fusion.series))), unit: scaleOf(this.known.get(fusion.series)).unit } : null;
  }
}
