// A second series laid over the first, in colours: which may be, what it was opened with, and its own window.

import { t, told } from "../../../i18n.js";
import { draggedWindow } from "../../geometry.js";
import { stackOf } from "../linking/standing.js";
import { inputsOf } from "../measuring/values.js";

const FIRST = ["PT", "NM"];
const NEVER = new Set(["SEG", "RTSTRUCT", "SR", "KO", "PR", "DOC"]);

/** Series of the study that could lie over what a pane shows: functional ones first. */
export function candidates(study, source) {
  const rank = ({ modality }) => (FIRST.includes(modality) ? FIRST.indexOf(modality) : FIRST.length);
  return (study?.series ?? [])
    .filter((series) => series.series_instance_uid !== source?.series.series_instance_uid && !NEVER.has(series.modality))
    .filter((series) => series.stacks?.some(({ kind, frames }) => kind === "spatial" && frames > 1))
    .sort((a, b) => rank(a) - rank(b));
}

/** What `series.opened` says of a series, asked beside the panes; kept, for it is asked for often. */
export class Openings {
  constructor(desk) {
    this.desk = desk;
    this.kept = new Map();
  }

  of(series) {
    const uid = series.series_instance_uid;
    const known = this.kept.get(uid);
    if (known?.version === series.series_version) return known.promise;
    const promise = this.#ask(uid);
    this.kept.set(uid, { version: series.series_version, promise });
    promise.catch(() => this.kept.delete(uid));
    return promise;
  }

  #ask(uid) {
    const { connection, study } = this.desk;
    const organization = study?.organization ? { organization: study.organization } : {};
    return new Promise((opened, failed) => {
      const channel = connection.open(uid, { size: [16, 16], ...organization }, {
        opened: (message) => {
          opened(message);
          channel.close();
        },
        frame: () => {},
        error: (message) => {
          failed(message);
          channel.close();
        },
      });
    });
  }
}

/** The part of a View that lays `series` over a pane, or the reason why it cannot be. */
export async function fusionPart(viewport, series, openings) {
  const here = stackOf(viewport)?.frame_of_reference_uid || viewport.opened?.geometry?.frame_of_reference_uid;
  let opened;
  try {
    opened = await openings.of(series);
  } catch ({ message }) {
    return { reason: message || t("It could not be opened") };
  }
  if (!here) return { reason: t("This series names no frame of reference, so nobody knows how the two lie to each other") };
  const stack = opened.stacks.find(({ kind, frames, frame_of_reference_uid }) => kind === "spatial" && frames > 1 && frame_of_reference_uid === here);
  if (!stack) return { reason: t("It lies in another frame of reference, so nobody knows how the two lie to each other") };
  if (stack.stack === 0 && !opened.geometry) return { reason: told(opened.geometry_reason) ?? t("It makes no volume") };
  return { part: { fusion: { series: series.series_instance_uid, stack: stack.stack } }, opened };
}

/** {factor, unit} in which windows of a series are told: SUV where it is known, else as stored. */
export function scaleOf(opened) {
  const factor = opened?.suv?.factor;
  return Number.isFinite(factor) && factor > 0 ? { factor, unit: "SUVbw" } : { factor: 1, unit: opened?.unit && opened.unit !== "US" ? opened.unit : "" };
}

/** Why a PET shows no SUV, or what its SUV was computed from; "" where there is nothing to say. */
export function suvWords(opened) {
  const { suv } = opened ?? {};
  if (!suv) return "";
  if (suv.reason) return t("No SUV: {reason}", { reason: told(suv.reason) });
  return t("SUV by body weight from {inputs}", { inputs: inputsOf({ suv }).join("; ") });
}

/** [lower, upper] of a fusion's window in the unit of its scale; null while the server has not said. */
export function limitsOf(fusion, { factor }) {
  const { window_center: center, window_width: width } = fusion ?? {};
  return Number.isFinite(center) && Number.isFinite(width) ? [(center - width / 2) * factor, (center + width / 2) * factor] : null;
}

/** The window of a fusion from its limits. */
export function limitsPart([lower, upper], { factor }) {
  const width = Math.max(1e-6, (upper - lower) / factor);
  return { window_center: (upper + lower) / 2 / factor, window_width: width, voi_lut_function: "LINEAR_EXACT" };
}

/** A change of a pane's fusion, whole: parts of it that wait together would take each other's place. */
export function changeFusion(viewport, part) {
  const whole = { ...viewport.wish.fusion, ...part };
  viewport.change({ fusion: Object.fromEntries(Object.entries(whole).filter(([, value]) => value !== null && value !== undefined)) });
}

/** The tool that drags the overlay's window as the window tool drags the picture's. */
export const fusionTool = () => ({
  name: "fusion-window",
  label: t("Window of the overlay"),
  hint: t("Drag right for wider, up for brighter"),
  icon: "contrast",
  cursor: "crosshair",
  group: "volume",
  begin(viewport, start) {
    const fusion = viewport.wish.fusion;
    if (!fusion || !Number.isFinite(fusion.window_width)) return { move: () => viewport.remark(t("Nothing is laid over this picture"), t("choose an overlay in the 3D panel")) };
    const from = { center: fusion.window_center, width: fusion.window_width, voi_lut_function: "LINEAR_EXACT" };
    return {
      move(point) {
        changeFusion(viewport, { ...draggedWindow(from, point.x - start.x, point.y - start.y), voi_lut_function: "LINEAR_EXACT" });
      },
    };
  },
});
