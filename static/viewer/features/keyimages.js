// Key images: one key marks the exact picture, a strip of them is a panel, and any View is a link. Printing hangs here too.

import { t } from "../../i18n.js";
import { keysOf } from "../keys.js";
import { Link } from "./keyimages/link.js";
import { exactOf } from "./keyimages/marking.js";
import { Panel } from "./keyimages/panel.js";
import { openPrinting } from "./keyimages/printing.js";
import { Stars } from "./keyimages/stars.js";
import { Store } from "./keyimages/store.js";
import { carried } from "./keyimages/views.js";
import { remark } from "./remark.js";
import { studyOf } from "./studies.js";

const NEWS = "key_images.changed";
const NAME = "key-images";

/** Hangs this feature into the page. */
export function install(workbench) {
  const feature = new KeyImages(workbench);
  workbench.command("key-image", () => feature.mark(), () => t("Mark this picture as a key image"));
  workbench.command("key-images", () => workbench.side.toggle(NAME), () => t("Key images"));
  workbench.command("copy-link", () => feature.link.copy(), () => t("Copy a link to this picture"));
  workbench.command("print", () => openPrinting(workbench, feature.store), () => t("Print"));
  workbench.side.add({ name: NAME, label: t("Key images"), icon: "star", fill: (element) => feature.panel.fill(element) });
  workbench.toolbar.addMore("key-image", t("Mark as key image"), "star");
  workbench.toolbar.addMore("copy-link", t("Copy a link to this picture"), "link");
  workbench.inspect("keyImages", () => feature.told);
  menu(workbench);
}

function menu(workbench) {
  const group = workbench.toolbar.group("keep", t("Keep and print"));
  const rows = [
    ["key-image", t("Mark as key image"), "star"],
    ["key-images", t("Key images"), "images"],
    ["copy-link", t("Copy a link to this picture"), "link"],
    ["print", t("Print"), "printer"],
  ];
  workbench.toolbar.menu(group, {
    label: t("Key images, link, print"),
    icon: "star",
    name: "keep",
    fill: (list) => {
      for (const [command, label, icon] of rows) list.item({ label, icon: workbench.icon(icon), key: keysOf(command, undefined, workbench.toolbar.map)[0] ?? "", run: () => workbench.run(command) });
    },
  });
}

class KeyImages {
  constructor(workbench) {
    this.workbench = workbench;
    this.store = new Store();
    this.marking = 0;
    this.link = new Link(workbench);
    this.stars = new Stars(workbench, this.store);
    this.panel = new Panel(workbench, this.store, this);
    this.store.addEventListener("changed", () => this.changed());
    workbench.on("study", () => this.watch(workbench.study));
    workbench.on("shown", ({ viewport }) => viewport.source && this.watch(studyOf(workbench, viewport.source)));
    workbench.on("news", ({ message }) => this.news(message));
    workbench.on("painted", ({ viewport }) => this.stars.show(viewport));
  }

  get told() {
    const held = this.workbench.study.study_instance_uid ? this.store.of(this.workbench.study) : { state: "loading", images: [] };
    return { state: held.state, marking: this.marking, images: held.images.map(({ uid, sha256, view }) => ({ uid, sha256, view })) };
  }

  /** A study whose key images belong on the desk. */
  watch(study) {
    const held = this.store.of(study);
    const known = held.watched;
    held.watched = true;
    if (!known) this.store.load(study);
    else this.changed();
  }

  news({ type, study_instance_uid: uid }) {
    const held = this.store.studies.get(uid);
    if (type === NEWS && held) this.store.load(held.study);
  }

  changed() {
    const { side, study, viewports } = this.workbench;
    if (study.study_instance_uid) side.count(NAME, this.store.of(study).images.length);
    side.refresh(NAME);
    for (const viewport of viewports) this.stars.show(viewport);
  }

  /** Marks the exact picture of the active pane. */
  async mark() {
    const { workbench } = this;
    const viewport = workbench.active;
    const { source } = viewport;
    if (!source?.stack) return remark(viewport, t("There is no picture to mark."), { trouble: true });
    const study = studyOf(workbench, source);
    this.marking += 1;
    try {
      const found = await exactOf(viewport);
      if (!found) return remark(viewport, t("Not marked: no exact picture came. Try again."), { trouble: true });
      if (this.store.showing(found.view)) return remark(viewport, t("This picture is a key image already."));
      await this.store.add(study, { series: source.series.series_instance_uid, view: found.view, measurements: this.drawnOn(viewport, found.header) });
      this.stars.flash(viewport);
      workbench.say(t("Marked as a key image."));
    } catch (problem) {
      remark(viewport, t("Not marked: {why}", { why: problem.message }), { trouble: true });
    } finally {
      this.marking -= 1;
    }
    return undefined;
  }

  /** UIDs of the measurements that stand on the picture. */
  drawnOn(viewport, header) {
    if (!header || viewport.header !== header) return [];
    const drawn = [...viewport.layers.querySelectorAll('[data-layer="measuring"] [data-uid]')].map(({ dataset }) => dataset.uid);
    return [...new Set(drawn)].slice(0, 200);
  }

  /** Shows a key image in the active pane, exactly as it was marked. */
  open(image) {
    const { workbench } = this;
    const stack = image.view.stack ?? 0;
    const shown = workbench.viewports.map(({ source }) => source).find((source) => source?.series.series_instance_uid === image.series_instance_uid && source.stack?.stack === stack);
    const tile = shown ?? workbench.tile(image.series_instance_uid, stack);
    if (!tile) return remark(workbench.active, t("Its series is not on the desk."), { trouble: true });
    workbench.show(workbench.active, tile, carried(image.view));
    workbench.active.element.focus({ preventScroll: true });
    return undefined;
  }
}
