// Where a hand is on a picture, in terms of the picture and not of the screen, and where that lies on another screen: only on the
// very picture that it was on. Pure.

import { onPane, paneToPicture, pictureToImage, pictureToPatient } from "../../plane.js";
import { whole } from "../../space.js";
import { cross, dot } from "../linking/vector.js";

const PARALLEL = 1 - 1e-6;
const NEARLY = 1e-3;

/** CSS pixels over which the painted picture is stretched. */
export function glassOf({ view, rows, columns }, ratio = globalThis.devicePixelRatio || 1) {
  const [height, width] = view.size ?? [rows, columns];
  return { width: width / ratio, height: height / ratio };
}

const kindOf = ({ projection = "slice", slab_thickness: slab = 0, mask = null }) => `${projection} ${projection === "slice" ? 0 : slab}${mask ? " subtracted" : ""}`;

/** {space, ..., point} of a point {x, y} of the pane, on the picture of a header; null where there is no picture under it. */
export function pointedAt(header, point, glass) {
  if (!header || point.x < 0 || point.y < 0 || point.x > glass.width || point.y > glass.height) return null;
  const { view, geometry } = header;
  const at = paneToPicture(header, point, glass);
  const image = view.sop_instance_uid ? pictureToImage(header, at) : null;
  if (image) return { space: "image", sop_instance_uid: view.sop_instance_uid, frame_number: view.frame_number ?? 1, kind: kindOf(view), point: image };
  if (!geometry) return null;
  return { space: "patient", stack: view.stack ?? 0, row: geometry.row, column: geometry.column, kind: kindOf(view), point: pictureToPatient(header, at) };
}

/** {x, y} on the pane that shows the picture of a header; null where that is another picture, or the point lies beside it. */
export function placed(header, at, glass) {
  if (!header || !at || !isOn(header, at)) return null;
  const found = onPane(header, at.space, at.point, glass);
  if (!found || (at.space === "patient" && !whole(header.view) && Math.abs(found.off) > (header.depth?.step ?? 0) / 2 + NEARLY)) return null;
  const inside = found.x >= 0 && found.y >= 0 && found.x <= glass.width && found.y <= glass.height;
  return inside ? { x: found.x, y: found.y } : null;
}

function isOn({ view, geometry, placement }, at) {
  if (kindOf(view) !== at.kind) return false;
  if (at.space === "image") return Boolean(placement) && view.sop_instance_uid === at.sop_instance_uid && (view.frame_number ?? 1) === at.frame_number;
  if (placement || !geometry || (view.stack ?? 0) !== at.stack) return false;
  return Math.abs(dot(cross(geometry.row, geometry.column), cross(at.row, at.column))) > PARALLEL;
}
