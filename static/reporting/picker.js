// The list of what can be inserted: key images with their pictures, measurements with their numbers. Typing narrows it, arrows
// walk, Enter inserts.

import { dialogOf } from "../dialog.js";
import { t } from "../i18n.js";
import { make } from "../viewer/menu.js";

/** {kind, uid, value, words, title, detail, picture} of everything that can be inserted, the newest first. */
export function offers(evidence) {
  const images = evidence.keyImages.map((one) => ({ kind: "key_image", uid: one.uid, value: "", words: one.words, title: one.note || one.words, detail: one.note ? one.words : t("key image"), picture: one.thumbnail }));
  const measures = evidence.measurements.flatMap((one) => {
    const title = one.label || one.kindWords;
    const whole = { kind: "measurement", uid: one.uid, value: "", words: one.words, title, detail: one.words, picture: one.small };
    const more = (one.values ?? []).filter(({ words }) => words !== one.words).map(({ name, label, words }) => ({ ...whole, value: name, words, detail: `${label}: ${words}` }));
    return [whole, ...more];
  });
  return [...measures.reverse(), ...images.reverse()];
}

/** Opens the list; resolves to what was chosen, or null. */
export function pick(evidence, icon) {
  const dialog = dialogOf({ title: t("Insert a link to evidence"), className: "picker", icon });
  const search = make("input", "", dialog, { type: "search", placeholder: t("Narrow the list"), role: "combobox", "aria-expanded": "true", "aria-controls": "picker-list", "aria-label": t("Narrow the list"), autocomplete: "off" });
  const list = make("ul", "offers", dialog, { id: "picker-list", role: "listbox", "aria-label": t("Key images and measurements") });
  const none = make("p", "quiet", dialog);
  let at = 0;
  let chosen = null;
  let rows = [];

  function draw() {
    const wanted = search.value.trim().toLowerCase();
    rows = offers(evidence).filter(({ title, detail, words }) => `${title} ${detail} ${words}`.toLowerCase().includes(wanted));
    list.replaceChildren(...rows.map((one, index) => option(one, index, () => take(index))));
    none.textContent = rows.length ? "" : evidence.problem || (evidence.ready ? t("Nothing here yet. Mark a key image or measure in the pictures; it appears here at once.") : t("Loading…"));
    walk(0, true);
  }

  function walk(by, to = false) {
    at = to ? by : Math.max(0, Math.min(rows.length - 1, at + by));
    [...list.children].forEach((item, index) => item.setAttribute("aria-selected", String(index === at)));
    search.setAttribute("aria-activedescendant", rows.length ? `offer-${at}` : "");
    list.children[at]?.scrollIntoView({ block: "nearest" });
  }

  function take(index) {
    chosen = rows[index] ?? null;
    dialog.close();
  }

  search.addEventListener("input", draw);
  search.addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
    if (by) walk(by);
    else if (event.key === "Enter") take(at);
    else return;
    event.preventDefault();
  });
  evidence.addEventListener("changed", draw);
  draw();
  dialog.showModal();
  search.focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      evidence.removeEventListener("changed", draw);
      resolve(chosen);
    });
  });
}

function option({ title, detail, picture }, index, take) {
  const item = make("li", "offer", null, { role: "option", id: `offer-${index}`, "aria-selected": "false" });
  const face = make("span", "face", item);
  if (picture) make("img", "", face, { src: picture, alt: "", loading: "lazy" });
  const words = make("span", "words", item);
  make("strong", "", words).textContent = title;
  make("span", "quiet", words).textContent = detail;
  item.addEventListener("click", take);
  return item;
}
