// What stands behind the numbers of a measurement, beside it while the pointer rests there: each number with its source.

import { t } from "../../../i18n.js";
import { make } from "../../menu.js";
import { kindLabel } from "./kinds.js";
import { within } from "./shapes.js";
import { rows } from "./values.js";

/** A list of numbers, each with what says it. */
export function numbers(values, parent) {
  const list = make("dl", "", parent);
  for (const { label, text, source } of rows(values)) {
    make("dt", "", list).textContent = label;
    make("dd", "", list).textContent = text;
    if (source) make("dd", "source", list).textContent = source;
  }
  return list;
}

/** Who drew it, and when. */
export function byWhom({ author, created_at, source }) {
  const when = created_at ? new Date(created_at).toLocaleString([], { dateStyle: "short", timeStyle: "short" }) : "";
  const said = [author, when].filter(Boolean).join(", ");
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
  for (const note of [...(mark.notes ?? []), mark.problem].filter(Boolean)) make("p", "", card).textContent = note;
  make("p", "source", card).textContent = byWhom(mark);
  cards.set(viewport, card);
  const from = box ?? { x: points[0].x, y: points[0].y, width: 0, height: 0 };
  const { width, height } = card.getBoundingClientRect();
  const below = from.y + from.height + 8;
  const place = within({ x: from.x, y: below + height > glass.height ? from.y - height - 8 : below, width, height }, glass);
  card.style.left = `${place.x}px`;
  card.style.top = `${place.y}px`;
}
