// What objects are called, and how a content item of a report reads. Pure.

import { t } from "../../../i18n.js";
import { clockTime, isoDate } from "../../../text.js";

/** [singular, icon] of a kind of object. */
const KINDS = {
  sr: () => [t("Structured report"), "file-text"],
  dose: () => [t("Dose report"), "file-text"],
  ko: () => [t("Key object selection"), "images"],
  pdf: () => [t("PDF document"), "file-text"],
  gsps: () => [t("Presentation state"), "contrast"],
  seg: () => [t("Segmentation"), "layers"],
  rtstruct: () => [t("Structure set"), "layers"],
  video: () => [t("Video"), "play"],
};

/** {label, icon} of a kind; what is unknown is an object. */
export function kindOf(kind) {
  const [label, icon] = KINDS[kind]?.() ?? [t("Object"), "file-x"];
  return { label, icon };
}

/** The order of the list: what is read first stands first. */
const ORDER = ["sr", "dose", "pdf", "ko", "gsps", "seg", "rtstruct", "video", "other"];

/** Objects by kind, newest first within each, as the server sorted them; what a newer one took the place of stands last. */
export function grouped(objects) {
  const place = ({ kind, superseded }) => (superseded ? ORDER.length : 0) + ((ORDER.indexOf(kind) + ORDER.length) % ORDER.length);
  return [...objects].sort((a, b) => place(a) - place(b));
}

/** "2015-08-19 11:21". */
export const made = ({ date, time }) => [isoDate(date), clockTime(time).slice(0, 5)].filter(Boolean).join(" ");

/** The value of a content item as one text. */
export function valueOf({ type, value = "", unit = "", qualifier = "" }) {
  if (type === "number") return [value || qualifier || t("no value"), value ? unit : "", value && qualifier ? `(${qualifier})` : ""].filter(Boolean).join(" ");
  return value;
}

/** How many content items stand under one, counted up to `most`. */
export function itemsUnder(node, most = Infinity) {
  let found = 0;
  const waiting = [...(node.children ?? [])];
  while (waiting.length && found < most) {
    const next = waiting.pop();
    found += 1;
    waiting.push(...(next.children ?? []));
  }
  return found;
}

/** The place in a list of references {sop_instance_uid, frame_number} to go to from the picture that is shown, `by` further on;
 *  from a picture that is none of them, the first (or last) one. */
export function placeAfter(list, view, by) {
  const same = (one) => one.sop_instance_uid === view.sop_instance_uid && (one.frame_number ?? 1) === (view.frame_number ?? 1);
  if (!Number.isFinite(by)) return by > 0 ? list.length - 1 : 0;
  const at = list.findIndex(same);
  const next = at < 0 ? (by > 0 ? 0 : list.length - 1) : at + by;
  return Math.min(list.length - 1, Math.max(0, next));
}

/** References to pictures of this study, each once, in the order of the object. */
export function picturesOf(references) {
  const found = new Map();
  for (const one of references ?? []) {
    for (const frame of one.frame_numbers ?? [one.frame_number ?? null]) {
      const key = `${one.sop_instance_uid}/${frame ?? 1}`;
      if (one.here && !found.has(key)) found.set(key, { ...one, frame_number: frame });
    }
  }
  return [...found.values()];
}
