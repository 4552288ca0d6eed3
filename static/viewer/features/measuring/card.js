// What stands behind the numbers of a measurement, beside it while the pointer rests there: each number with its source.

import { t, told } from "../../../i18n.js";
import { make } from "../../menu.js";
import { kindLabel } from "./kinds.js";
import { within } from "./shapes.js";
import { inputsOf, rows } from "./values.js";

/** A list of numbers with what says them; neighbours that have it from the same share its line. */
export function numbers(values, parent) {
  const list = make("dl", "", parent);
  const all = rows(values);
  all.forEach(({ label, text, source }, at) => {
    make("dt", "", list).textContent = label;
    make("dd", "", list).textContent = text;
    if (source && source !== all[at + 1]?.source) make("dd", "source", list).textContent = told(source);
  });
  const inputs = inputsOf(values);
  if (inputs.length) make("p", "source", parent).textContent = t("SUV from: {inputs}", { inputs: inputs.join("; ") });
  return list;
}

const two = (number) => String(number).padStart(2, "0");
/** "2026-01-31 14:05" of the reader's own clock; "" without a time. */
function moment(time) {
  const at = new Date(time ?? NaN);
  if (Number.isNaN(at.getTime())) return "";
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** Who drew it, and when. */
export function byWhom({ author, created_at, source }) {
  const said = [author, moment(created_at)].filter(Boolean).join(", ");
  return source === "sr" ? [said, t("read from a report, cannot be changed here")].filter(Boolean).join("; ") : said;
}

const cards = new WeakMap();

/** Shows the card of what lies under the pointer; hides it for null. */
export function showCard(viewport, item, glass) {
  const old = cards.get(viewport);
  old?.remove();
  cards.delete(viewport);
  if (!item || item.mark.draft) return;
  const { mark, box, points } = item;
  const card = make("div", "mark-card", viewport.stage);
  make("strong", "", card).textContent = [kindLabel(mark.kind), mark.label].filter(Boolean).join(": ");
  numbers(mark.values, card);
  for (const note of [...(mark.notes ?? []), mark.problem].filter(Boolean)) make("p", "", card).textContent = told(note);
  make("p", "source", card).textContent = byWhom(mark);
  cards.set(viewport, card);
  const from = box ?? { x: points[0].x, y: points[0].y, width: 0, height: 0 };
  const place = roomFor(card.getBoundingClientRect(), from, glass);
  card.style.left = `${place.x}px`;
  card.style.top = `${place.y}px`;
}

/** Beside the words rather than over them: below, above, to the right, to the left. */
function roomFor({ width, height }, from, glass) {
  const level = Math.min(from.y, glass.height - height - 4);
  const ways = [
    { x: from.x, y: from.y + from.height + 8 },
    { x: from.x, y: from.y - height - 8 },
    { x: from.x + from.width + 8, y: level },
    { x: from.x - width - 8, y: level },
  ].map((at) => ({ ...at, width, height }));
  const moved = (box) => Math.abs(box.y - within(box, glass).y) + (box.x < 0 || box.x + width > glass.width ? Math.abs(box.x - within(box, glass).x) / 4 : 0);
  ways.sort((a, b) => moved(a) - moved(b));
  return within(ways[0], glass);
}
