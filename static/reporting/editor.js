// The report as a page of sections and fields: filled from a draft, and back into it. By keyboard alone from one field to the next
// and from one place that waits to the next.

import { t } from "../i18n.js";
import { make } from "../viewer/menu.js";
import { shownPlace } from "./chips.js";
import { fieldsOf, isEmpty } from "./draft.js";
import { FieldRow, need } from "./fieldrow.js";
import { converted, quantity } from "./numbers.js";
import { nextPlace } from "./places.js";
import { shown } from "./showing.js";

const LOINC_FINDINGS = "59776-5";

export class Editor extends EventTarget {
  /** @param parts {draft, evidence, icon, say} */
  constructor(element, { draft, evidence, icon, say }) {
    super();
    Object.assign(this, { element, draft, evidence, icon, say });
    this.rows = new Map();
    this.sections = new Map();
    this.last = null;
    this.merged = draft.report.merged ?? {};
    this.#build();
    draft.addEventListener("replaced", ({ detail: { ids } }) => this.adopt(ids));
    evidence.addEventListener("changed", () => this.refresh());
    element.addEventListener("focusin", ({ target }) => {
      const row = this.rowOf(target);
      if (!row) return;
      this.last = row;
      this.dispatchEvent(new CustomEvent("field", { detail: { id: row.field.id } }));
    });
    this.adopt();
  }

  #build() {
    this.element.replaceChildren();
    for (const section of this.draft.schema.sections) this.#section(section);
  }

  #section(section) {
    const headingId = `report-section-${section.id}`;
    const element = make("section", "report-section", this.element, { "aria-labelledby": headingId, "data-section": section.id, "data-level": String(section.level ?? 1) });
    const head = make("header", "section-head", element);
    make(`h${Math.min(6, (section.level ?? 1) + 1)}`, "", head, { id: headingId }).textContent = section.title;
    const alone = section.fields.length === 1 && ["textarea", "text", "merge"].includes(section.fields[0].type);
    const words = alone ? need(section.fields[0]) || (section.required ? t("needed to sign") : "") : section.required ? t("needed to sign") : "";
    if (words) make("span", "need", head).textContent = words;
    const tools = make("div", "section-tools", head);
    const beside = make("div", "section-prior", element);
    const body = make("div", "section-body", element);
    for (const field of section.fields) this.#row(field, { alone, title: section.title, headingId, body, head });
    this.sections.set(section.id, { section, element, head, tools, beside });
  }

  #row(field, { alone, title, headingId, body, head }) {
    const row = new FieldRow(field, { bare: alone, title, headingId, evidence: this.evidence, icon: this.icon });
    if (alone) head.insertBefore(row.fill, head.querySelector(".section-tools"));
    body.append(row.element);
    this.rows.set(field.id, row);
    row.addEventListener("changed", ({ detail }) => this.#changed(row, detail));
    row.addEventListener("show", ({ detail }) => this.dispatchEvent(new CustomEvent("show", { detail })));
  }

  /** The row that an element of the page stands in. */
  rowOf(target) {
    const id = target?.closest?.("[data-field]")?.dataset.field;
    return this.rows.get(id) ?? null;
  }

  #changed(row, { how = "touched", inputType = "", composing = false }) {
    const { id } = row.field;
    const empty = this.draft.content[id] === undefined || this.draft.content[id] === null || this.draft.content[id] === "";
    const fill = how === "measured" && row.text && !empty && this.draft.fills[id] !== "measured" ? "touched" : how;
    this.draft.set(id, row.widget.value, fill);
    this.#shows();
    this.refresh(row);
    this.dispatchEvent(new CustomEvent("typed", { detail: { row, inputType, composing } }));
  }

  /** Fills the fields from the draft: all, or those that are named. */
  adopt(ids = null) {
    for (const [id, row] of this.rows) {
      if (ids && !ids.includes(id)) continue;
      if (row.text && ids && row === this.last) row.widget.replace(this.draft.content[id]);
      else row.widget.value = this.draft.content[id];
    }
    this.#shows();
    this.refresh();
  }

  #shows() {
    const visible = shown(this.draft.schema, this.draft.content);
    for (const [id, row] of this.rows) row.element.hidden = !visible.has(id);
    for (const { section, element } of this.sections.values()) element.hidden = section.fields.length > 0 && section.fields.every(({ id }) => !visible.has(id));
  }

  refresh(only = null) {
    for (const row of only ? [only] : this.rows.values()) row.refresh(this.draft.content[row.field.id], this.draft.fills[row.field.id], this.merged);
    this.dispatchEvent(new Event("refreshed"));
  }

  set readOnly(is) {
    for (const row of this.rows.values()) row.widget.readOnly = is;
    this.element.toggleAttribute("data-read-only", is);
  }

  // --- from field to field

  get inSight() {
    return [...this.rows.values()].filter((row) => !row.element.closest("[hidden]"));
  }

  /** Ids of fields in sight that wait to be filled. */
  get waiting() {
    return this.inSight.filter((row) => row.waiting(this.draft.content[row.field.id])).map(({ field }) => field.id);
  }

  get current() {
    return this.rowOf(document.activeElement);
  }

  /** The next field, or the one before. */
  step(by) {
    const rows = this.inSight;
    const at = rows.indexOf(this.current ?? this.last);
    const to = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : at + by];
    if (!to) return this.say(by > 0 ? t("This is the last field.") : t("This is the first field."));
    const first = to.text ? nextPlace(to.text.shown.text, 0) : null;
    return to.focus(first);
  }

  /** The next place that waits to be filled, round and round. */
  place(back = false) {
    const rows = this.inSight;
    const here = this.current ?? this.last;
    const at = Math.max(0, rows.indexOf(here));
    const caret = here?.text && this.current === here ? (back ? here.text.area.selectionStart : here.text.area.selectionEnd) : back ? Infinity : 0;
    const inside = here?.text && !here.hidden ? nextPlace(here.text.shown.text, caret, back) : null;
    if (inside) return here.focus(inside);
    const round = Array.from({ length: rows.length }, (_, index) => rows[(at + (back ? -1 - index : index + 1) + 2 * rows.length) % rows.length]);
    for (const row of round) {
      if (row.text) {
        const found = nextPlace(row.text.shown.text, back ? Infinity : 0, back);
        if (found) return row.focus(found);
      }
      if (row !== this.current && row.waiting(this.draft.content[row.field.id])) return row.focus();
    }
    return this.say(t("Nothing waits to be filled."));
  }

  /** Goes to a field, and to a place of its stored text counted as the server counts. */
  go(id, place = null) {
    const row = this.rows.get(id) ?? this.sections.get(id)?.section.fields.map((field) => this.rows.get(field.id)).find(Boolean);
    if (!row) return false;
    if (place && row.text) {
      const [start, end] = place.map((one) => shownPlace(row.text.raw, one));
      row.text.mark({ start, end });
      row.focus({ start, end });
    } else row.focus();
    return true;
  }

  /** To the field written in last; at first to the findings. */
  focus() {
    (this.last && !this.last.element.closest("[hidden]") ? this.last : (this.target ?? this.inSight[0]))?.focus();
  }

  // --- what is put in

  /** The field that takes an insertion: the one written in last, else the findings. */
  get target() {
    if (this.last && !this.last.element.closest("[hidden]") && (this.last.text || this.last.field.type === "number")) return this.last;
    const findings = fieldsOf(this.draft.schema).find(({ section, type }) => type === "textarea" && this.#isFindings(section));
    return this.rows.get(findings?.id) ?? this.inSight.find((row) => row.text) ?? null;
  }

  #isFindings(id) {
    const { section } = this.sections.get(id);
    return section.code?.value === LOINC_FINDINGS || section.id === "findings";
  }

  /** Puts a link at the caret of that field; of a measurement into a number its value. Returns what was done, in words. */
  insert({ kind, uid, value = "", words }) {
    const row = this.target;
    if (!row) return t("There is no field to insert it in.");
    if (row.text) {
      row.text.insertLink({ kind, uid, value }, words);
      return t("Inserted: {words}", { words });
    }
    const found = kind === "measurement" ? quantity(words) : null;
    const number = found && converted(found.value, found.unit, row.field.units);
    if (number === null || number === undefined) return t("{words} does not fit into this field.", { words });
    row.widget.value = number;
    this.#changed(row, { how: "measured" });
    return t("Inserted: {words}", { words });
  }

  /** What the checks say, at the fields that they mean. */
  showProblems(problems) {
    // That a needed field is empty is said beside its name already.
    const told = problems.filter(({ field }) => !isEmpty(this.rows.get(field)?.field ?? {}, this.draft.content[field]));
    for (const [id, row] of this.rows) row.showProblems(told.filter(({ field }) => field === id));
  }
}
