// What the text can link to: key images and measurements of the study, as the server lists them.

import { t } from "../i18n.js";
import { rest } from "../viewer/features/rest.js";

const KINDS = {
  length: () => t("Length"),
  bidirectional: () => t("Two diameters"),
  angle: () => t("Angle"),
  cobb: () => t("Cobb angle"),
  ellipse: () => t("Ellipse"),
  rectangle: () => t("Rectangle"),
  freehand: () => t("Outline"),
  probe: () => t("Point"),
};

/** A small picture of a View, drawn by the server. */
function thumbnailOf({ series_instance_uid: series, view, organization }) {
  if (!series || !view) return "";
  const { series: own, size, ...rest } = view;
  void own, size;
  const asked = { ...rest, size: [96, 96] };
  const query = new URLSearchParams({ view: JSON.stringify(asked), media_type: "image/jpeg" });
  if (organization) query.set("organization", organization);
  return `/api/series/${encodeURIComponent(series)}/frame?${query}`;
}

export class Evidence extends EventTarget {
  /** @param study {study_instance_uid, organization} */
  constructor(report, study, ask = rest) {
    super();
    Object.assign(this, { report, study, ask });
    this.keyImages = [];
    this.measurements = [];
    this.ready = false;
    this.problem = "";
    this.stamp = 0;
  }

  /** Fetched anew; the newest answer wins, and whoever asked before it waits for it as well. */
  async load() {
    let mine = (this.loading = this.#fetch());
    await mine;
    while (mine !== this.loading) await (mine = this.loading);
  }

  async #fetch() {
    const turn = (this.turn = (this.turn ?? 0) + 1);
    try {
      const { key_images: images = [], measurements = [] } = await this.ask(`/api/reports/${this.report}/insertable/`);
      if (turn !== this.turn) return;
      this.keyImages = images.map((one) => ({ ...one, kind: "key_image" }));
      this.measurements = measurements.map((one) => ({ ...one, measured: one.kind, kind: "measurement", kindWords: KINDS[one.kind]?.() ?? one.kind, small: thumbnailOf({ ...one, organization: this.study.organization }) }));
      this.ready = true;
      this.problem = "";
      this.stamp += 1;
    } catch (problem) {
      if (turn !== this.turn) return;
      this.problem = problem.message;
    }
    this.dispatchEvent(new Event("changed"));
  }

  /** What a link of a text means; null where it is gone. */
  find({ kind, uid }) {
    return (kind === "measurement" ? this.measurements : this.keyImages).find((one) => one.uid === uid) ?? null;
  }

  /** The words that a link would get now. */
  wordsOf({ kind, uid, value }) {
    const found = this.find({ kind, uid });
    if (!found) return "";
    return (value && found.values?.find(({ name }) => name === value)?.words) || found.words;
  }

  get newestMeasurement() {
    return this.measurements.at(-1) ?? null;
  }

  get newestKeyImage() {
    return this.keyImages.at(-1) ?? null;
  }
}
