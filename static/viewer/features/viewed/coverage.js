// Which part of an image has been seen at full size: rectangles [top, left, bottom, right) of whole pixels. Pure.

import { imageToPicture, pictureToImage } from "../../plane.js";

/** Pictures that show each pixel of an image at full size at least. */
const FULL = new Set(["native", "enlarged"]);
const MOST = 200;
const size = ([top, left, bottom, right]) => (bottom - top) * (right - left);

/** The pixels of an acquired image whose centres lie in a painted picture, where it shows them exactly and at full size; null
 *  for every other picture. */
export function seenIn(header, rows, columns) {
  if (!header?.exact || !header.placement || !FULL.has(header.sampling)) return null;
  const corners = [[-0.5, -0.5], [header.columns - 0.5, header.rows - 0.5]].map((at) => pictureToImage(header, at));
  const [left, right] = ends(corners.map(([column]) => column), columns);
  const [top, bottom] = ends(corners.map(([, row]) => row), rows);
  return top < bottom && left < right ? [top, left, bottom, right] : null;
}

/** Whole numbers from the smaller to the larger of two, within 0 and `count`: [first, end). */
function ends(pair, count) {
  const near = 1e-6;
  return [Math.max(0, Math.ceil(Math.min(...pair) - near)), Math.min(count, Math.floor(Math.max(...pair) + near) + 1)];
}

/** The same pixels in rectangles that do not overlap. */
export function joined(areas) {
  const edges = [...new Set(areas.flatMap(([top, , bottom]) => [top, bottom]))].sort((a, b) => a - b);
  const slabs = [];
  for (let at = 0; at + 1 < edges.length; at += 1) {
    const [top, bottom] = [edges[at], edges[at + 1]];
    const spans = spansOf(areas.filter((area) => area[0] <= top && bottom <= area[2]).map((area) => [area[1], area[3]]));
    const last = slabs.at(-1);
    if (last && last.bottom === top && JSON.stringify(last.spans) === JSON.stringify(spans)) last.bottom = bottom;
    else slabs.push({ top, bottom, spans });
  }
  const found = slabs.flatMap(({ top, bottom, spans }) => spans.map(([left, right]) => [top, left, bottom, right]));
  return found.length > MOST ? found.sort((a, b) => size(b) - size(a)).slice(0, MOST) : found;
}

function spansOf(spans) {
  const found = [];
  for (const [left, right] of spans.sort((a, b) => a[0] - b[0])) {
    const last = found.at(-1);
    if (last && left <= last[1]) last[1] = Math.max(last[1], right);
    else found.push([left, right]);
  }
  return found;
}

/** Of an image, the share that areas without overlap cover. */
export const share = (areas, rows, columns) => areas.reduce((sum, area) => sum + size(area), 0) / (rows * columns);

export const holds = (areas, area) => areas.some((one) => one[0] <= area[0] && one[1] <= area[1] && one[2] >= area[2] && one[3] >= area[3]);

/** The part that is looked at next: where a picture of `height` x `width` pixels of the image shows most that was not seen, going
 *  through the image in rows; {row, column} of its middle. Null when all was seen. */
export function nextPart(areas, rows, columns, height, width) {
  const steps = (all, part) => {
    const count = Math.max(1, Math.ceil(all / part));
    return Array.from({ length: count }, (_, at) => (count === 1 ? all / 2 : part / 2 + (at * (all - part)) / (count - 1)));
  };
  for (const row of steps(rows, height)) {
    for (const column of steps(columns, width)) {
      const box = [Math.floor(row - height / 2), Math.floor(column - width / 2), Math.ceil(row + height / 2), Math.ceil(column + width / 2)];
      const area = [Math.max(0, box[0]), Math.max(0, box[1]), Math.min(rows, box[2]), Math.min(columns, box[3])];
      const before = share(areas, 1, 1);
      if (share(joined([...areas, area]), 1, 1) > before + 0.01 * size(area)) return { row: row - 0.5, column: column - 0.5 };
    }
  }
  return share(areas, rows, columns) < 1 ? leftOver(areas, rows, columns) : null;
}

/** The middle of the first pixels that no area holds. */
function leftOver(areas, rows, columns) {
  const edges = (all, at) => [...new Set([0, all, ...areas.flatMap((area) => [area[at], area[at + 2]])])].sort((a, b) => a - b);
  const [downs, acrosses] = [edges(rows, 0), edges(columns, 1)];
  for (let i = 0; i + 1 < downs.length; i += 1) {
    for (let j = 0; j + 1 < acrosses.length; j += 1) {
      const cell = [downs[i], acrosses[j], downs[i + 1], acrosses[j + 1]];
      if (!holds(areas, cell) && !areas.some((one) => overlaps(one, cell))) return { row: (cell[0] + cell[2] - 1) / 2, column: (cell[1] + cell[3] - 1) / 2 };
    }
  }
  return null;
}

const overlaps = (one, other) => one[0] < other[2] && other[0] < one[2] && one[1] < other[3] && other[1] < one[3];

/** The `pan` that brings [column, row] of the image to the middle of a picture of one voxel to one pixel, as the picture is turned. */
export function panTo(header, [column, row], rows, columns) {
  const [middle, wanted] = [[(columns - 1) / 2, (rows - 1) / 2], [column, row]].map((at) => imageToPicture(header, at));
  const { across } = header.placement;
  const scale = Math.hypot(...across);
  const [height, width] = header.view.size ?? [header.rows, header.columns];
  return [(-(wanted[0] - middle[0]) * scale) / width, (-(wanted[1] - middle[1]) * scale) / height];
}
