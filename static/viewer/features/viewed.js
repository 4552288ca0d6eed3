// Mammograms count as viewed only when exact pictures at full size have covered them: how much of each was seen stands on its
// pane, what is left is listed, and one key leads to the next part. The server keeps it for the reader.

import { t } from "../../i18n.js";
import { goTo } from "./objects/going.js";
import { remark } from "./remark.js";
import { rest, studyDoor } from "./rest.js";
import { studyOf } from "./studies.js";
import { holds, joined, nextPart, panTo, seenIn, share } from "./viewed/coverage.js";
import { fillPanel, percent } from "./viewed/panel.js";

const NAME = "viewed";
const MODALITY = "MG";
const PAUSE = 1500;
const AGAIN = 8000;
/** Voxels by which parts that are looked at one after the other overlap. */
const OVERLAP = 4;

const keyOf = ({ sop_instance_uid: uid, frame_number: frame }) => `${uid} ${frame ?? 1}`;

/** Hangs this feature into the page. */
export function install(workbench) {
  const feature = new Viewed(workbench);
  workbench.command("viewed-next", () => feature.next(), () => t("Next part of a mammogram to view at full size"));
  workbench.inspect(NAME, () => feature.told);
  workbench.on("study", () => feature.follow(workbench.study));
  workbench.on("shown", ({ viewport }) => viewport.source && feature.follow(studyOf(workbench, viewport.source)));
  workbench.on("painted", ({ viewport }) => feature.painted(viewport));
  addEventListener("pagehide", () => feature.flush(true));
}

class Viewed {
  constructor(workbench) {
    this.workbench = workbench;
    /** By study: {study, state, images: Map} */
    this.studies = new Map();
    this.timer = null;
  }

  get told() {
    return { images: this.images.map(({ sop_instance_uid, frame_number, covered }) => ({ sop_instance_uid, frame_number, covered })), unsent: [...this.studies.values()].reduce((sum, { images }) => sum + [...images.values()].filter(({ fresh }) => fresh.length).length, 0) };
  }

  /** Those of the page's own study. */
  get images() {
    return [...(this.studies.get(this.workbench.study.study_instance_uid)?.images.values() ?? [])];
  }

  /** Asks what was seen of a study with mammograms before; again when more of them came. */
  async follow(study) {
    const number = study.series?.filter(({ modality }) => modality === MODALITY).reduce((sum, one) => sum + (one.number_of_instances ?? 1), 0) ?? 0;
    if (!study.study_instance_uid || !number) return;
    const held = this.studies.get(study.study_instance_uid) ?? { study, images: new Map(), number: 0 };
    this.studies.set(study.study_instance_uid, held);
    if (study.study_instance_uid === this.workbench.study.study_instance_uid) this.#addPanel();
    if (held.number === number) return;
    held.number = number;
    try {
      this.#take(held, await rest(studyDoor(study, "viewed/")));
    } catch {
      held.number = 0;
      setTimeout(() => this.follow(study), AGAIN);
    }
  }

  #addPanel() {
    const { side } = this.workbench;
    if (side.panels.has(NAME)) return;
    side.add({ name: NAME, label: t("Viewed at full size"), icon: "scan-eye", fill: (element) => fillPanel(element, this.images, this.workbench, { go: (image) => this.go(image), next: () => this.workbench.run("viewed-next") }) });
  }

  /** What the server holds, joined to what was seen here meanwhile. */
  #take(held, { images }) {
    for (const image of images) {
      const here = held.images.get(keyOf(image));
      const areas = here ? joined([...image.areas, ...here.areas]) : image.areas;
      held.images.set(keyOf(image), { ...image, areas, fresh: here?.fresh ?? [], covered: share(areas, image.rows, image.columns) });
    }
    this.#changed();
  }

  #of(viewport) {
    const { header, source } = viewport;
    if (!header || source?.series.modality !== MODALITY || !header.view.sop_instance_uid) return null;
    return this.studies.get(viewport.study.study_instance_uid)?.images.get(keyOf(header.view)) ?? null;
  }

  /** A picture is on the glass: what it shows exactly and at full size was seen. */
  painted(viewport) {
    const image = this.#of(viewport);
    if (image && viewport.exact && !document.hidden) {
      const area = seenIn(viewport.header, image.rows, image.columns);
      if (area && !holds(image.areas, area)) this.#saw(image, area);
    }
    this.#mark(viewport, image);
  }

  #saw(image, area) {
    image.fresh.push(area);
    const areas = joined([...image.areas, area]);
    const covered = share(areas, image.rows, image.columns);
    if (covered <= image.covered) {
      image.fresh.pop();
      return;
    }
    Object.assign(image, { areas, covered });
    if (covered >= 1) this.workbench.say(t("This image was seen wholly at full size."));
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush(), PAUSE);
    this.#changed();
  }

  /** Sends what is new. `leaving`: the page goes, nobody waits for an answer. */
  async flush(leaving = false) {
    clearTimeout(this.timer);
    for (const held of this.studies.values()) {
      const fresh = [...held.images.values()].filter((image) => image.fresh.length);
      if (!fresh.length) continue;
      const sent = fresh.map((image) => [image, image.fresh.splice(0)]);
      const images = sent.map(([{ sop_instance_uid, frame_number }, areas]) => ({ sop_instance_uid, frame_number, areas: joined(areas) }));
      try {
        const answer = await rest(studyDoor(held.study, "viewed/"), { method: "PUT", body: { images }, keepalive: leaving });
        this.#take(held, answer);
      } catch {
        for (const [image, areas] of sent) image.fresh.unshift(...areas);
        this.timer = setTimeout(() => this.flush(), AGAIN);
      }
    }
  }

  #changed() {
    const { side, viewports } = this.workbench;
    side.count(NAME, this.images.filter(({ covered }) => covered < 1).length);
    side.refresh(NAME);
    for (const viewport of viewports) this.#mark(viewport, this.#of(viewport));
  }

  #mark({ overlay: { marks } }, image) {
    let mark = marks.querySelector(".viewed");
    if (!mark && !image) return;
    if (!mark) {
      mark = document.createElement("span");
      mark.className = "mark viewed";
      marks.append(mark);
    }
    mark.hidden = !image;
    if (!image) return;
    const whole = image.covered >= 1;
    mark.dataset.state = whole ? "whole" : "part";
    const text = whole ? t("viewed") : t("viewed {share}", { share: percent(image.covered) });
    if (mark.textContent !== text) mark.textContent = text;
    mark.title = whole ? t("All of this image was on the screen exactly and at full size") : t("How much of this image was on the screen exactly and at full size");
  }

  // --- what is left

  /** Brings the next part that was not seen into the active pane, at full size; after the last one of an image the next image. */
  next() {
    const viewport = this.workbench.active;
    const image = this.#of(viewport);
    if (image && image.covered < 1) return this.#lookAt(viewport, image);
    const left = this.images.find(({ covered }) => covered < 1);
    if (left) return this.go(left);
    return remark(viewport, this.images.length ? t("All mammograms of this study were seen wholly at full size.") : t("There is no mammogram in this study."));
  }

  /** Shows an image in the active pane, and then its first part that was not seen. */
  go(image) {
    const viewport = this.workbench.active;
    const there = () => {
      const { header } = viewport;
      if (!header || keyOf(header.view) !== keyOf(image)) return;
      stop();
      if (image.covered < 1) this.#lookAt(viewport, image);
    };
    const stop = () => viewport.removeEventListener("painted", there);
    viewport.addEventListener("painted", there);
    setTimeout(stop, 30000);
    goTo(this.workbench, { ...image, here: true }, viewport);
    viewport.element.focus({ preventScroll: true });
  }

  #lookAt(viewport, { areas, rows, columns }) {
    const { header, wish } = viewport;
    const [height, width] = header.view.size ?? [header.rows, header.columns];
    const lies = (wish.rotation ?? 0) % 180 !== 0;
    const part = nextPart(areas, rows, columns, ...(lies ? [width, height] : [height, width]).map((one) => Math.max(1, one - OVERLAP)));
    if (!part || !header.placement) return;
    viewport.change({ zoom: "native", pixel_spacing: null, pan: panTo(header, [part.column, part.row], rows, columns) });
  }
}
