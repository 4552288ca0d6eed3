// Views as things that are kept, compared, sent and put into words. Pure.

import { t } from "../../../i18n.js";
import { planeWords, projectionWords, reformatted } from "../../space.js";

/** What belongs to the pane it is shown in, and to the place it is kept at, not to what is seen. */
const OUTER = new Set(["size", "organization"]);
/** Said by `sop_instance_uid` and `frame_number` already; a series that grew has another number for the same image. */
const PLACES = new Set(["frame"]);

const written = (value) =>
  JSON.stringify(value, (_, one) => (one && typeof one === "object" && !Array.isArray(one) ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1))) : one));

/** A text that two Views share exactly when they show the same, on panes of any size. */
export function signature(view) {
  const named = Boolean(view.sop_instance_uid);
  const parts = Object.entries(view).filter(([name, value]) => value !== null && value !== undefined && !OUTER.has(name) && !(named && PLACES.has(name)));
  return written(Object.fromEntries(parts));
}

/** The part of a resolved View that another pane is opened with: its series and size are the pane's own. */
export function carried(view) {
  return Object.fromEntries(Object.entries(view).filter(([name, value]) => value !== null && !OUTER.has(name) && name !== "series"));
}

/** The address that opens a study with exactly this View first. @param study {study_instance_uid, organization} */
export function linkTo(study, view, origin) {
  const kept = Object.fromEntries(Object.entries(view).filter(([name, value]) => value !== null && !OUTER.has(name)));
  const query = new URLSearchParams();
  if (study.organization) query.set("organization", study.organization);
  query.set("view", JSON.stringify(kept));
  return `${origin}/studies/${encodeURIComponent(study.study_instance_uid)}/?${query}`;
}

/** "Image 12", "Coronal, MIP 10 mm": which picture it is. */
export function placeWords(view) {
  const place = reformatted(view) || !Number.isInteger(view.frame) ? planeWords(view) : t("Image {n}", { n: view.frame + 1 });
  return [place, projectionWords(view)].filter(Boolean).join(", ") || t("Picture");
}

/** The same part of the patient in a picture of `size` [rows, columns] of the same shape: relative zooms stay, one voxel to one
 *  pixel and mm to a pixel follow. @param header of the exact picture @param zoom what the pane's zoom is as a number, 1 fits */
export function resized({ view, geometry, columns }, size, zoom) {
  const { pixel_spacing: asked, ...rest } = view;
  const followed = (spacing) => ({ ...rest, size, zoom: null, pixel_spacing: (spacing * columns) / size[1] });
  if (asked) return followed(asked);
  if (view.zoom === "native" && reformatted(view) && geometry) return followed(geometry.pixel_spacing[1]);
  return { ...rest, size, zoom };
}
