// One field of the report on the page: its name, what it is filled in with, how it was filled, and what is wrong with it.

import { t } from "../i18n.js";
import { make } from "../viewer/menu.js";
import { isEmpty } from "./draft.js";
import { linkedList } from "./linked.js";
import { placesOf } from "./places.js";
import { widgetOf } from "./widgets.js";

const FILLS = {
  default: () => [t("template text"), t("Nobody has changed it. Press to say that you have read it.")],
  merged: () => [t("from the record"), t("Taken from what is known of patient, study and order.")],
  measured: () => [t("measured"), t("Taken from a measurement.")],
  dictated: () => [t("dictated"), t("Spoken, not typed.")],
};

const NEEDS = { PROHIBIT: () => t("needed to sign"), ALERT: () => t("asked for at signing") };

/** What a template asks of a field, in a word; "" for nothing. */
export function need(field) {
  if (field.completion === "PROHIBIT" || field.required) return NEEDS.PROHIBIT();
  return NEEDS[field.completion]?.() ?? "";
}

export class FieldRow extends EventTarget {
  /** @param bare true where the section's heading is the field's name already */
  constructor(field, { bare, title, headingId, evidence, icon }) {
    super();
    this.field = field;
    this.evidence = evidence;
    this.icon = icon;
    const base = `report-${field.id}`;
    this.ids = { control: `${base}-control`, label: bare ? headingId : `${base}-label`, name: bare ? title : "", about: `${base}-about` };
    this.element = make("div", `field-row is-${field.type}`, null, { "data-field": field.id, "data-bare": String(bare) });
    this.#head(bare);
    this.widget = widgetOf(field, this.ids);
    this.element.append(this.widget.element);
    if (field.required || field.completion === "PROHIBIT") (this.widget.text?.area ?? this.widget.input ?? this.widget.select)?.setAttribute("aria-required", "true");
    this.links = make("ul", "linked", this.element);
    this.unlinked = make("div", "unlinked-notes", this.element);
    this.about = make("p", "about", this.element, { id: this.ids.about });
    this.problems = make("ul", "field-problems", this.element);
    this.widget.addEventListener("changed", ({ detail }) => this.dispatchEvent(new CustomEvent("changed", { detail })));
    this.widget.text?.addEventListener("show", ({ detail }) => this.dispatchEvent(new CustomEvent("show", { detail })));
  }

  #head(bare) {
    const { field } = this;
    const head = make("div", "field-head", this.element);
    if (!bare) {
      const label = make("label", "field-label", head, { id: this.ids.label, for: this.ids.control });
      label.textContent = field.label || field.id;
      const words = need(field);
      if (words) make("span", "need", head).textContent = words;
    }
    this.fill = make("button", "fill", head, { type: "button", tabindex: "-1" });
    this.fill.hidden = true;
    this.fill.addEventListener("click", () => this.fill.dataset.fill === "default" && this.dispatchEvent(new CustomEvent("changed", { detail: { how: "touched" } })));
  }

  get text() {
    return this.widget.text ?? null;
  }

  get hidden() {
    return this.element.hidden;
  }

  /** Whether it waits to be filled: a place in its text, or a needed field without anything. */
  waiting(value) {
    if (this.text && placesOf(this.text.shown.text).length) return true;
    return need(this.field) !== "" && isEmpty(this.field, value);
  }

  focus(place = null) {
    if (this.text) this.widget.focus(place?.start ?? this.text.shown.text.length, place?.end);
    else this.widget.focus();
    this.element.scrollIntoView({ block: "nearest" });
  }

  /** Draws what goes with its value. @param fill how it was filled */
  refresh(value, fill, merged) {
    const [words, hint] = FILLS[isEmpty(this.field, value) ? "" : fill]?.() ?? [];
    this.fill.hidden = !words;
    this.fill.dataset.fill = fill ?? "";
    if (words) Object.assign(this.fill, { textContent: words, title: hint });
    const { wrong, doubt } = this.widget;
    const record = this.#record(value, fill, merged);
    this.about.textContent = wrong || doubt || "";
    this.about.toggleAttribute("data-wrong", Boolean(wrong));
    this.element.toggleAttribute("data-doubt", Boolean(wrong || doubt));
    if (record) this.about.append(record);
    if (this.text) this.#evidence();
  }

  /** What the record says now, where that is something else than what was taken from it. */
  #record(value, fill, merged) {
    const now = this.field.merge ? merged?.[this.field.merge] : "";
    if (fill !== "merged" || !now || now === value) return null;
    const button = make("button", "plain take", null, { type: "button" });
    button.textContent = t("The record says now: {value}. Take it", { value: now });
    button.addEventListener("click", () => {
      this.widget.replace(now);
      this.dispatchEvent(new CustomEvent("changed", { detail: { how: "merged" } }));
    });
    return button;
  }

  #evidence() {
    const { text } = this;
    linkedList(this.links, text, this.evidence, this.icon, (link) => this.dispatchEvent(new CustomEvent("show", { detail: link })));
    const told = text.broken.map(({ words, kind }, index) => {
      const note = make("p", "note unlinked-note", null, { role: "status" });
      note.append(kind === "measurement" ? t("The number was changed by hand: it is no longer linked to the measurement ({words}).", { words }) : t("The words were changed: they no longer link to the picture ({words}).", { words }), " ");
      const back = make("button", "plain take", note, { type: "button" });
      back.textContent = t("Put the link back");
      back.addEventListener("click", () => text.relink(index));
      const keep = make("button", "plain take", note, { type: "button" });
      keep.textContent = t("Leave it so");
      keep.addEventListener("click", () => text.forgive(index));
      return note;
    });
    this.unlinked.replaceChildren(...told);
  }

  /** What the checks say of this field. */
  showProblems(problems) {
    this.problems.replaceChildren(
      ...problems.map(({ level, message }) => Object.assign(make("li", "", null, { "data-level": level }), { textContent: message })),
    );
  }
}
