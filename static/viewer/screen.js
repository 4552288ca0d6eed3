// How large a pixel of this screen is, where its reader has said so: kept in the browser, for it is the screen's. Imports only
// geometry.

import { millimetresPerPixel } from "./geometry.js";

const SAME = 0.01;
const name = () => `farview.screen.${screen.width}x${screen.height}`;

/** mm from one device pixel to the next; null where nobody has said. */
export function screenPitch() {
  const found = Number(localStorage.getItem(name()));
  return found > 0.01 && found < 5 ? found : null;
}

export const keepScreenPitch = (pitch) => localStorage.setItem(name(), String(pitch));

/** mm of the patient (of the detector, as the source says) under one device pixel, or as a presentation state of true size
 *  gives them (PS3.3 C.10.4); null where there are none. */
export function shownMillimetres(header) {
  const { true_size: voxel, placement } = header;
  if (!voxel || !placement) return millimetresPerPixel(header);
  const [columns, rows] = placement.across;
  return (Math.hypot(columns * voxel[1], rows * voxel[0]) * header.columns) / (header.view.size?.[1] ?? header.columns);
}

/** True where the picture is as large on the screen as what it shows. */
export function isTrueSize(header, pitch = screenPitch()) {
  const shown = shownMillimetres(header);
  return Boolean(pitch && shown && Math.abs(shown / pitch - 1) < SAME);
}
