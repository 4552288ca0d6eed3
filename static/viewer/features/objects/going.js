// From a reference in an object to the picture it means.

import { t } from "../../../i18n.js";
import { reformatted, whole } from "../../space.js";
import { goAlong } from "../linking/scrolling.js";
import { standingOf } from "../linking/standing.js";
import { dot } from "../linking/vector.js";
import { remark } from "../remark.js";

const tilesOf = ({ thumbnails, active }, series) => thumbnails.tilesOf(active.source?.study).filter((tile) => tile.stack && tile.series.series_instance_uid === series);

/** True where the study has pictures of that series to go to. */
export const canGo = (workbench, reference) => Boolean(reference.here) && tilesOf(workbench, reference.series_instance_uid).length > 0;

/** Shows the picture that a reference names, in a pane. The server finds the stack that it lies in. */
export function goTo(workbench, reference, viewport = workbench.active) {
  const { series_instance_uid: series, sop_instance_uid, frame_number } = reference;
  const tiles = tilesOf(workbench, series);
  if (!tiles.length) {
    remark(viewport, t("What this refers to is not shown in this study."), { trouble: true });
    return;
  }
  const place = { sop_instance_uid, frame_number: frame_number ?? 1 };
  const state = viewport.opened?.presentation_states?.find(({ sop_instance_uid: uid }) => uid === reference.presentation_state);
  const more = state ? { presentation_state: state.sop_instance_uid } : {};
  const here = viewport.source?.series.series_instance_uid === series && viewport.channel && !reformatted(viewport.wish) && !whole(viewport.wish);
  if (here) viewport.change({ ...place, frame: null, ...more });
  else workbench.show(viewport, tiles[0], place);
  settleStack(workbench, viewport, sop_instance_uid);
}

/** Brings a place into the active pane: {center} LPS mm, or {sop_instance_uid, frame_number} of an image. Planes go along their
 *  normal, stacks to the nearest image. */
export function goToPlace(viewport, { center, sop_instance_uid, frame_number }) {
  const standing = standingOf(viewport);
  if (!center) {
    viewport.change({ sop_instance_uid, frame_number: frame_number ?? 1, frame: null });
  } else if (standing?.direction) {
    const away = goAlong(viewport, standing, dot(center, standing.direction));
    if (away) remark(viewport, t("The nearest image is {n} mm away from it.", { n: away.toFixed(1) }));
  } else remark(viewport, t("These images say no place in the patient to go to."), { trouble: true });
}

/** Once it is painted, the strip and the texts name the stack that it really lies in. */
function settleStack(workbench, viewport, uid) {
  const look = () => {
    const { header, source } = viewport;
    if (header?.view.sop_instance_uid !== uid) return;
    viewport.removeEventListener("painted", look);
    const tile = source && header.view.stack !== source.stack?.stack ? workbench.tile(source.series.series_instance_uid, header.view.stack) : null;
    if (!tile) return;
    viewport.source = tile;
    workbench.thumbnails.mark(workbench.viewports.map((one) => one.source), workbench.active.source);
  };
  viewport.addEventListener("painted", look);
  setTimeout(() => viewport.removeEventListener("painted", look), 30000);
}
