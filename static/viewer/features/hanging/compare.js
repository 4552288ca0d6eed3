// Current beside prior at one key, and back.

import { t } from "../../../i18n.js";

const NARROW = 700;
const KEPT = ["window_center", "window_width", "voi_lut_function", "inverted", "color_map"];
const ANSWERED = new Set(["series", "organization", "size"]);

/** Of a resolved View what shows the same picture again. */
const again = (view) => Object.fromEntries(Object.entries(view).filter(([field, value]) => !ANSWERED.has(field) && value !== null));

/** The counterpart of what a pane shows: {series_instance_uid, stack, view, ...} of a prior, or null. */
export function counterpart(counterparts, source, view) {
  const found = counterparts.filter((one) => one.series_instance_uid === source.series.series_instance_uid && one.stack === (source.stack?.stack ?? null));
  return (found.find(({ sop_instance_uid: uid }) => uid && uid === view.sop_instance_uid) ?? found[0])?.prior ?? null;
}

export class Compare {
  /** @param stages the stages of the protocol, which know the priors */
  constructor(workbench, stages) {
    this.workbench = workbench;
    this.stages = stages;
    this.before = null;
    this.layout = "";
    workbench.on("layout", () => this.before && !this.busy && workbench.layout.name !== this.layout && this.forget());
    workbench.on("hung", () => this.forget());
  }

  get on() {
    return this.before !== null;
  }

  forget() {
    this.before = null;
  }

  toggle() {
    if (this.before) this.#back();
    else if (this.workbench.viewports.some(({ source }) => source?.study)) this.#alone();
    else this.#beside();
  }

  #beside() {
    const { workbench, stages } = this;
    const { active } = workbench;
    const { priors = [], counterparts = [] } = stages.hanging ?? {};
    if (!active.source) return;
    const other = counterpart(counterparts, active.source, active.header?.view ?? active.wish);
    const tile = other && workbench.tile(other.series_instance_uid, other.stack);
    if (!tile) {
      active.remark(
        priors.length ? t("Nothing like this in the prior") : t("No prior to compare with"),
        priors.length ? t("no series of it has the same modality") : t("there is no earlier study of this patient with the same modality"),
      );
      return;
    }
    const { source } = active;
    const view = again(active.wish);
    const keep = Object.fromEntries(KEPT.filter((field) => field in view).map((field) => [field, view[field]]));
    const narrow = innerWidth < NARROW || innerWidth < innerHeight;
    this.#with(narrow ? "2x1" : "1x2", [[source, view], [tile, { ...keep, ...other.view }]]);
    stages.link(workbench.viewports);
  }

  /** A prior is in sight already: the current study alone. */
  #alone() {
    const { workbench } = this;
    const own = [workbench.active, ...workbench.viewports].find(({ source }) => source && !source.study);
    if (!own) return;
    this.#with("1x1", [[own.source, again(own.wish)]]);
  }

  #with(layout, shown) {
    const { workbench } = this;
    const before = {
      layout: workbench.layout.name,
      active: workbench.viewports.indexOf(workbench.active),
      shots: workbench.viewports.map(({ source, wish }) => ({ source, view: again(wish) })),
    };
    this.#put(layout, shown);
    this.before = before;
    this.layout = layout;
  }

  #put(layout, shown, active = 0) {
    const { workbench } = this;
    this.busy = true;
    workbench.layout.set(layout);
    workbench.viewports.forEach((viewport, index) => {
      const [source, view] = shown[index] ?? [];
      if (source) workbench.plan(viewport, source, view);
      else viewport.close();
    });
    workbench.layout.activate(active);
    this.busy = false;
  }

  #back() {
    const { layout, active, shots } = this.before;
    this.before = null;
    this.#put(layout, shots.map(({ source, view }) => [source, view]), active);
  }
}
