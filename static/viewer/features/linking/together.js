// Zoom, place in the pane and window of one pane as parts of another's View. mm, LPS; pure.

import { zoomNumber } from "../../geometry.js";
import { middleOf, whole } from "../../space.js";
import { sameSpace, standingOf, parallel } from "./standing.js";
import { dot, minus, plus } from "./vector.js";

/** {row, column, mm: [down, across] of the whole pane at its wish, heart: the point at the middle of the picture without pan}. */
function lookOf(viewport) {
  const { header, wish, fit } = viewport;
  const spacing = header?.geometry?.pixel_spacing ?? header?.pixel_spacing;
  if (!spacing) return null;
  const painted = [spacing[0] * header.rows, spacing[1] * header.columns];
  const [before, after] = [header.view, wish].map(({ zoom }) => zoomNumber(zoom ?? 1, fit));
  const mm = painted.map((one) => (one * before) / after);
  const { row, column } = header.geometry ?? {};
  const [x, y] = header.view.pan ?? [0, 0];
  const middle = middleOf(header);
  const heart = middle && plus(plus(middle, row, x * painted[1]), column, y * painted[0]);
  return { row, column, mm, heart, zoom: after };
}

/** The zoom and pan that show as many mm of the patient as the leader's pane, about the same point where the two share one
 *  space; null where millimetres are not known. */
export function samePart(leader, other) {
  if (whole(leader.wish) || whole(other.wish)) return null;
  const [from, to] = [lookOf(leader), lookOf(other)];
  if (!from || !to) return alike(leader);
  const grown = (to.mm[1] / other.box.width) / (from.mm[1] / leader.box.width);
  const zoom = to.zoom * grown;
  const across = to.mm.map((one) => one / grown);
  const [x, y] = leader.pan;
  const way = [x * from.mm[1], y * from.mm[0]];
  const [a, b] = [standingOf(leader), standingOf(other)];
  if (!from.heart || !to.heart || !sameSpace(a, b) || !parallel(a, b)) return { zoom, pan: [way[0] / across[1], way[1] / across[0]] };
  const middle = plus(plus(from.heart, from.row, -way[0]), from.column, -way[1]);
  const off = minus(to.heart, middle);
  return { zoom, pan: [dot(off, to.row) / across[1], dot(off, to.column) / across[0]] };
}

/** Where nobody knows the millimetres: the same zoom and pan of the pane. */
const alike = ({ zoom, pan }) => ({ zoom, pan });

/** The leader's window, where the other holds values of the same unit and modality; null else. */
export function sameWindow(leader, other, part) {
  const kind = ({ source, opened }) => `${source?.series.modality} ${opened?.unit}`;
  if (kind(leader) !== kind(other) || other.wish.projection === "volume") return null;
  if (!("preset" in part)) return Object.fromEntries(Object.entries(part).filter(([name]) => name.startsWith("window_") || name === "voi_lut_function"));
  const has = other.opened?.presets?.some(({ name }) => name === part.preset);
  return has || part.preset === null ? { preset: part.preset } : null;
}
