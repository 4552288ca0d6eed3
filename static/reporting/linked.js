// The evidence that a field's text links to, under the field: what it is, shown by a press, and whether it is still as the text says.

import { t } from "../i18n.js";
import { make } from "../viewer/menu.js";

/** Fills `list` from a TextField. @param show called with a link */
export function linkedList(list, text, evidence, icon, show) {
  const { links, text: words } = text.shown;
  const written = JSON.stringify([links, words, evidence.stamp]);
  if (list.dataset.written === written) return;
  list.dataset.written = written;
  list.replaceChildren(...links.map((link) => row(link, words.slice(link.start, link.end), text, evidence, icon, show)));
  list.hidden = !links.length;
}

function row(link, words, text, evidence, icon, show) {
  const item = make("li", "");
  const known = evidence.find(link);
  const go = make("button", "chip-button", item, { type: "button", "data-kind": link.kind, title: t("Shows the picture that this links to") });
  if (known?.thumbnail) make("img", "", go, { src: known.thumbnail, alt: "", loading: "lazy" });
  else go.append(icon(link.kind === "measurement" ? "ruler" : "star"));
  const label = link.kind === "measurement" ? [known?.label || known?.kindWords, words].filter(Boolean).join(": ") : words;
  make("span", "", go).textContent = label;
  go.addEventListener("click", () => show(link));
  if (evidence.ready && !known) make("span", "gone", item).textContent = link.kind === "measurement" ? t("this measurement was deleted") : t("this picture is no key image any more");
  const now = known && evidence.wordsOf(link);
  if (link.kind === "measurement" && now && now !== words) {
    const take = make("button", "plain take", item, { type: "button" });
    take.textContent = t("measured now: {words}. Take it", { words: now });
    take.addEventListener("click", () => text.reword(link, now));
  }
  return item;
}
