// A key object selection as a filter: while it is on, scrolling goes through what it selects, in its order, across series.

import { t } from "../../../i18n.js";
import { goTo } from "./going.js";
import { picturesOf, placeAfter } from "./words.js";

export class KeyObjects extends EventTarget {
  constructor(workbench) {
    super();
    this.workbench = workbench;
    this.title = "";
    this.uid = null;
    this.list = [];
    workbench.on("layout", () => this.#takeSteps());
    workbench.on("study", () => this.#dim());
    workbench.on("painted", () => this.on && this.#changed());
  }

  get on() {
    return this.uid !== null;
  }

  /** The place of the active pane's picture in the selection, 0-based; -1 for none of them. */
  get at() {
    const view = this.workbench.active.header?.view ?? {};
    return this.list.findIndex((one) => one.sop_instance_uid === view.sop_instance_uid && (one.frame_number ?? 1) === (view.frame_number ?? 1));
  }

  /** Turns it on for an object. False where nothing that it selects is in this study. */
  start({ uid, title, references }) {
    const list = picturesOf(references).filter(({ series_instance_uid: series }) => this.workbench.thumbnails.tilesOf(this.workbench.active.source?.study).some((tile) => tile.stack && tile.series.series_instance_uid === series));
    if (!list.length) return false;
    this.stop(false);
    Object.assign(this, { uid, title, list });
    this.#takeSteps();
    this.#dim();
    if (this.at < 0) goTo(this.workbench, list[0]);
    this.workbench.say(t("Only what {title} selects: {n}", { title, n: list.length }));
    this.#changed();
    return true;
  }

  stop(tell = true) {
    Object.assign(this, { uid: null, title: "", list: [] });
    for (const viewport of this.workbench.layout.panes) delete viewport.step;
    this.#dim();
    if (tell) this.#changed();
  }

  step(viewport, by) {
    viewport.stop();
    const { list } = this;
    const view = viewport.wish.sop_instance_uid ? viewport.wish : (viewport.header?.view ?? {});
    goTo(this.workbench, list[placeAfter(list, view, by)], viewport);
  }

  /** A pane's own step gives way to the selection's, for keys and wheel alike; its slider still reaches everything. */
  #takeSteps() {
    if (this.on) for (const viewport of this.workbench.layout.panes) viewport.step = (by) => this.step(viewport, by);
  }

  /** Series without anything selected leave the strip. */
  #dim() {
    const wanted = new Set(this.list.map(({ series_instance_uid: series }) => series));
    for (const button of this.workbench.thumbnails.buttons.values()) button.parentElement.hidden = this.on && !wanted.has(button.tile.series.series_instance_uid);
  }

  #changed() {
    this.dispatchEvent(new Event("changed"));
  }
}
