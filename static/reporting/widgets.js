// What a field of a template is filled in with: one row for each type. A widget has `element`, `focusable` (what takes the focus
// first), `value` (get and set, as it is stored), and says "changed"; those that hold texts are a TextField.

import { t } from "../i18n.js";
import { make } from "../viewer/menu.js";
import { outOfRange, readNumber, writeNumber } from "./numbers.js";
import { TextField } from "./textfield.js";

const FEW = 5;

class Widget extends EventTarget {
  constructor(field, ids) {
    super();
    this.field = field;
    this.ids = ids;
  }

  said(how = "touched") {
    this.dispatchEvent(new CustomEvent("changed", { detail: { how } }));
  }

  focus() {
    this.focusable.focus();
  }

  /** What stands in the way of saving it as it is typed; "" for nothing. */
  get wrong() {
    return "";
  }
}

class Text extends Widget {
  constructor(field, ids) {
    super(field, ids);
    this.text = new TextField({ id: ids.control, single: field.type === "text", label: ids.name, describedBy: ids.about });
    this.element = this.text.element;
    this.focusable = this.text.area;
    this.text.addEventListener("changed", ({ detail }) => this.dispatchEvent(new CustomEvent("changed", { detail })));
  }

  get value() {
    return this.text.raw;
  }

  set value(value) {
    if (this.text.raw !== (value ?? "")) this.text.raw = value ?? "";
  }

  set readOnly(is) {
    this.text.readOnly = is;
  }

  /** The same as one step that the writer can undo. */
  replace(value) {
    if (document.activeElement === this.focusable) this.text.replace(value ?? "");
    else this.value = value;
  }

  focus(start, end) {
    this.text.focus(start ?? null, end);
  }
}

class Line extends Widget {
  constructor(field, ids, type) {
    super(field, ids);
    this.element = make("div", "line-field");
    this.input = make("input", "", this.element, { id: ids.control, type, autocomplete: "off", "aria-labelledby": ids.label, "aria-describedby": ids.about });
    this.focusable = this.input;
    this.input.addEventListener("input", () => this.said());
    if (field.suggestions?.length) this.#suggest(field.suggestions);
  }

  #suggest(suggestions) {
    const list = make("datalist", "", this.element, { id: `${this.ids.control}-list` });
    for (const one of suggestions) make("option", "", list, { value: one });
    this.input.setAttribute("list", list.id);
  }

  get value() {
    return this.input.value;
  }

  set value(value) {
    if (this.input.value !== (value ?? "")) this.input.value = value ?? "";
  }

  set readOnly(is) {
    this.input.readOnly = is;
  }
}

class Numeric extends Line {
  constructor(field, ids) {
    super(field, ids, "text");
    this.input.inputMode = "decimal";
    this.input.classList.add("number");
    if (field.units) make("span", "unit", this.element).textContent = field.units;
    const range = rangeWords(field);
    if (range) make("span", "quiet range", this.element).textContent = range;
    this.input.addEventListener("blur", () => !this.wrong && (this.input.value = writeNumber(this.value)));
  }

  get value() {
    const value = readNumber(this.input.value, this.field.units);
    return Number.isNaN(value) ? null : value;
  }

  set value(value) {
    if (readNumber(this.input.value, this.field.units) !== (value ?? null)) this.input.value = writeNumber(value);
  }

  get wrong() {
    const value = readNumber(this.input.value, this.field.units);
    if (Number.isNaN(value)) return t("This is no number: it cannot be saved.");
    return "";
  }

  get doubt() {
    return outOfRange(this.value, this.field) ? t("Outside {range}.", { range: rangeWords(this.field) }) : "";
  }
}

function rangeWords({ minimum, maximum }) {
  const [low, high] = [minimum ?? null, maximum ?? null];
  if (low !== null && high !== null) return t("{low} to {high}", { low, high });
  if (low !== null) return t("at least {low}", { low });
  return high !== null ? t("at most {high}", { high }) : "";
}

class Choice extends Widget {
  constructor(field, ids) {
    super(field, ids);
    const open = field.options.length <= FEW || field.multiple;
    this.element = open ? this.#boxes(field, ids) : this.#select(field, ids);
  }

  #select(field, ids) {
    const element = make("div", "line-field");
    this.select = make("select", "", element, { id: ids.control, "aria-labelledby": ids.label, "aria-describedby": ids.about });
    this.select.add(new Option(t("Not chosen"), ""));
    for (const { value, label } of field.options) this.select.add(new Option(label || value, value));
    this.focusable = this.select;
    this.select.addEventListener("change", () => this.said());
    return element;
  }

  #boxes(field, ids) {
    const element = make("div", "choices-field", null, { role: field.multiple ? "group" : "radiogroup", "aria-labelledby": ids.label, "aria-describedby": ids.about });
    this.inputs = field.options.map(({ value, label }, index) => {
      const row = make("label", "choice-field", element);
      const input = make("input", "", row, { type: field.multiple ? "checkbox" : "radio", name: ids.control, value, id: index ? `${ids.control}-${index}` : ids.control });
      make("span", "", row).textContent = label || value;
      input.addEventListener("change", () => this.said());
      return input;
    });
    if (!field.multiple) element.addEventListener("keydown", (event) => this.#cleared(event));
    return element;
  }

  get focusable() {
    return this.kept ?? this.inputs.find(({ checked }) => checked) ?? this.inputs[0];
  }

  set focusable(element) {
    this.kept = element;
  }

  /** A choice of one can be taken back. */
  #cleared(event) {
    if (!["Delete", "Backspace"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    for (const input of this.inputs) input.checked = false;
    this.said();
  }

  get value() {
    if (this.select) return this.select.value;
    const chosen = this.inputs.filter(({ checked }) => checked).map(({ value }) => value);
    return this.field.multiple ? chosen : (chosen[0] ?? "");
  }

  set value(value) {
    if (this.select) this.select.value = value ?? "";
    else for (const input of this.inputs) input.checked = [value ?? []].flat().includes(input.value);
  }

  set readOnly(is) {
    for (const input of this.inputs ?? [this.select]) input.disabled = is;
  }
}

class Tick extends Widget {
  constructor(field, ids) {
    super(field, ids);
    this.element = make("div", "choices-field");
    this.input = make("input", "", this.element, { type: "checkbox", id: ids.control, "aria-labelledby": ids.label, "aria-describedby": ids.about });
    this.focusable = this.input;
    this.input.addEventListener("change", () => this.said());
  }

  get value() {
    return this.input.checked;
  }

  set value(value) {
    this.input.checked = value === true;
  }

  set readOnly(is) {
    this.input.disabled = is;
  }
}

export const WIDGETS = {
  text: (field, ids) => (field.suggestions?.length ? new Line(field, ids, "text") : new Text(field, ids)),
  textarea: (field, ids) => new Text(field, ids),
  merge: (field, ids) => new Text(field, ids),
  number: (field, ids) => new Numeric(field, ids),
  date: (field, ids) => new Line(field, ids, "date"),
  time: (field, ids) => new Line(field, ids, "time"),
  selection: (field, ids) => new Choice(field, ids),
  checkbox: (field, ids) => new Tick(field, ids),
};

/** The widget of a field; an unknown type is a text. */
export const widgetOf = (field, ids) => (WIDGETS[field.type] ?? WIDGETS.textarea)(field, ids);
