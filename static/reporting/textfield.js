// A text area that grows and shows links to evidence in its text. The words are the browser's own text area, so that undo, paste,
// composing and reading aloud are the browser's own too; what is behind them (links, places to fill, marks) is painted by a mirror
// of the same letters.

import { t } from "../i18n.js";
import { make } from "../viewer/menu.js";
import { chip, edited, linkAt, parse, part, shifted, write } from "./chips.js";
import { placesOf } from "./places.js";

const FORMAT = "application/x-farview-report";
const REMEMBERED = 600;
const BACKWARD = /^delete(Content|Word|SoftLine|HardLine)Backward$/;
const FORWARD = /^delete(Content|Word|SoftLine|HardLine)Forward$/;

export class TextField extends EventTarget {
  /** @param options {id, single, label, describedBy}; `label` where no element on the page is one */
  constructor({ id, single = false, label = "", describedBy = "" }) {
    super();
    this.single = single;
    this.element = make("div", "text-field", null, { "data-single": String(single) });
    this.mirror = make("div", "mirror", this.element, { "aria-hidden": "true" });
    this.area = make("textarea", "", this.element, { id, rows: "1", spellcheck: "true", autocomplete: "off", ...(label ? { "aria-label": label } : {}), ...(describedBy ? { "aria-describedby": describedBy } : {}) });
    this.shown = { text: "", links: [] };
    this.broken = [];
    this.found = null;
    this.past = new Map();
    this.coming = null;
    this.#listen();
    this.#paint();
  }

  // --- its text

  /** The text as it is stored. */
  get raw() {
    return write(this.shown);
  }

  /** Puts another stored text in place of all; nothing of it can be undone. */
  set raw(raw) {
    this.shown = parse(raw);
    this.broken = [];
    this.area.value = this.shown.text;
    this.past.clear();
    this.#remember();
    this.#paint();
  }

  set readOnly(is) {
    this.area.readOnly = is;
  }

  /** The same as one step that can be undone. */
  replace(raw) {
    this.area.focus();
    this.area.setSelectionRange(0, this.area.value.length);
    this.insert(raw);
    if (this.raw === raw) return;
    this.shown = parse(raw);
    this.broken = [];
    this.#remember();
    this.#paint();
    this.#told("touched");
  }

  /** Puts a stored text at the caret, as if it were typed; how: "touched", "measured". Returns where it begins in the shown text. */
  insert(raw, how = "touched") {
    const { text, links } = parse(this.single ? raw.replace(/\s*\n\s*/g, " ") : raw);
    const { area } = this;
    if (document.activeElement !== area) area.focus({ preventScroll: true });
    const start = area.selectionStart;
    this.coming = { links, start, how };
    const before = area.value;
    if (text && !document.execCommand("insertText", false, text) && area.value === before) {
      area.setRangeText(text, start, area.selectionEnd, "end");
      this.#changed("insertText");
    } else if (!text && area.selectionEnd > start) document.execCommand("delete");
    this.coming = null;
    return start;
  }

  /** Puts a link at the caret, with the spaces that a sentence needs around it. */
  insertLink(link, words) {
    const { value, selectionStart: start, selectionEnd: end } = this.area;
    const before = start > 0 && !/[\s([{/×-]/.test(value[start - 1]) ? " " : "";
    const after = end < value.length && /[\p{L}\p{N}]/u.test(value[end]) ? " " : "";
    this.insert(`${before}${chip(link, words)}${after}`, link.kind === "measurement" ? "measured" : "touched");
    if (after) this.area.setSelectionRange(this.area.selectionStart - 1, this.area.selectionStart - 1);
  }

  /** Other words for a link that stays. */
  reword(link, words) {
    this.area.focus();
    this.area.setSelectionRange(link.start, link.end);
    this.insert(chip(link, words), "measured");
  }

  /** Makes a link again of words that were one. */
  relink(index) {
    const one = this.broken[index];
    if (!one) return;
    this.area.focus();
    this.area.setSelectionRange(one.start, one.end);
    this.insert(chip(one, one.words), "measured");
  }

  /** Words that were a link stay without one, and nothing reminds of it. */
  forgive(index) {
    this.broken = this.broken.filter((_, at) => at !== index);
    this.#remember();
    this.#paint();
    this.area.focus();
    this.#told("touched");
  }

  focus(start = null, end = start) {
    this.area.focus();
    if (start !== null) this.area.setSelectionRange(start, end);
  }

  /** Marks a place, until the text is changed there. */
  mark(place) {
    this.found = place;
    this.#paint();
  }

  /** The link that the caret touches. */
  get linkHere() {
    const { selectionStart: start, selectionEnd: end } = this.area;
    return this.shown.links.find((link) => link.start === start && link.end === end) ?? (start === end ? linkAt(this.shown.links, start) : null);
  }

  // --- what hands do

  #listen() {
    const { area } = this;
    area.addEventListener("input", ({ inputType, isComposing }) => this.#changed(inputType, isComposing));
    area.addEventListener("compositionend", () => this.#changed("insertCompositionText"));
    area.addEventListener("beforeinput", (event) => this.#before(event));
    area.addEventListener("copy", (event) => this.#copy(event));
    area.addEventListener("cut", (event) => this.#copy(event) && this.insert(""));
    area.addEventListener("paste", (event) => this.#paste(event));
    area.addEventListener("click", (event) => area.selectionStart === area.selectionEnd && this.#clicked(event));
    area.addEventListener("pointermove", (event) => this.#hovered(event));
    area.addEventListener("blur", () => (this.left = [area.selectionStart, area.selectionEnd]));
    area.addEventListener("focus", () => this.#backAgain());
  }

  #changed(inputType = "", composing = false) {
    const text = this.area.value;
    const was = this.shown;
    if (text === was.text && !this.coming?.links.length) return;
    const caret = this.area.selectionStart === this.area.selectionEnd ? this.area.selectionEnd : null;
    const known = inputType.startsWith("history") ? this.past.get(text) : null;
    if (known) Object.assign(this, { shown: { text, links: known.links }, broken: known.broken });
    else {
      const { links, broken } = edited(was, text, caret);
      const { coming } = this;
      const put = (coming?.links ?? []).map((link) => ({ ...link, start: link.start + coming.start, end: link.end + coming.start }));
      const free = (one) => !put.some(({ start, end }) => one.start < end && one.end > start);
      this.broken = [...shifted(this.broken, was, text, caret), ...broken].filter(free);
      this.shown = { text, links: [...links.filter(free), ...put].sort((a, b) => a.start - b.start) };
      if (this.coming) this.coming = { ...this.coming, links: [] };
    }
    if (this.found) [this.found = null] = shifted([this.found], was, text, caret);
    this.#remember();
    this.#paint();
    if (!composing) this.#spell();
    this.#told(this.coming?.how ?? "touched", inputType, composing);
  }

  #told(how, inputType = "", composing = false) {
    this.dispatchEvent(new CustomEvent("changed", { detail: { how, inputType, composing } }));
  }

  /** A link that somebody wrote out letter by letter is one, as it will be when the text is read again. */
  #spell() {
    const again = parse(this.raw);
    if (again.text === this.shown.text || this.coming) return;
    this.replace(this.raw);
  }

  #remember() {
    this.past.delete(this.shown.text);
    this.past.set(this.shown.text, { links: this.shown.links, broken: this.broken });
    if (this.past.size > REMEMBERED) this.past.delete(this.past.keys().next().value);
  }

  /** A link is taken away as a whole: the first stroke chooses it, the second deletes it. */
  #before(event) {
    const { selectionStart: start, selectionEnd: end } = this.area;
    if (this.single && ["insertLineBreak", "insertParagraph"].includes(event.inputType)) event.preventDefault();
    if (start !== end || event.isComposing) return;
    const back = BACKWARD.test(event.inputType);
    if (!back && !FORWARD.test(event.inputType)) return;
    const link = this.shown.links.find((one) => (back ? one.end === start : one.start === start));
    if (!link) return;
    event.preventDefault();
    this.area.setSelectionRange(link.start, link.end);
  }

  #copy(event) {
    const { selectionStart: start, selectionEnd: end } = this.area;
    if (start === end || !this.shown.links.some((link) => link.start < end && link.end > start)) return false;
    event.clipboardData.setData("text/plain", this.shown.text.slice(start, end));
    event.clipboardData.setData(FORMAT, write(part(this.shown, start, end)));
    event.preventDefault();
    return true;
  }

  #paste(event) {
    const own = event.clipboardData?.getData(FORMAT);
    const raw = own || event.clipboardData?.getData("text/plain") || "";
    if (this.area.readOnly || (!own && !parse(raw).links.length)) return;
    event.preventDefault();
    this.insert(raw.replace(/\r\n?/g, "\n"));
  }

  /** A dialog that closes gives the focus back with the caret at the beginning: it belongs where it was. */
  #backAgain() {
    const { area, left } = this;
    if (left && area.selectionStart === 0 && area.selectionEnd === 0 && !area.matches(":active")) area.setSelectionRange(...left);
  }

  // --- links under the pointer

  #linkAt({ clientX, clientY }) {
    const spans = [...this.mirror.querySelectorAll(".chip")];
    const inside = (box) => clientX >= box.left && clientX <= box.right && clientY >= box.top && clientY <= box.bottom;
    const span = spans.find((one) => [...one.getClientRects()].some(inside));
    return span ? (this.shown.links[Number(span.dataset.link)] ?? null) : null;
  }

  #clicked(event) {
    const link = this.#linkAt(event);
    if (link) this.dispatchEvent(new CustomEvent("show", { detail: link }));
  }

  #hovered(event) {
    const link = this.#linkAt(event);
    this.area.toggleAttribute("data-over-link", Boolean(link));
    this.area.title = link ? t("Shows the picture that this links to") : "";
  }

  // --- the mirror

  #paint() {
    const { text, links } = this.shown;
    const marks = [
      ...links.map((one, index) => ({ ...one, name: "chip", index })),
      ...this.broken.filter(({ start, end }) => end > start).map((one) => ({ ...one, name: "unlinked", kind: "" })),
      ...placesOf(text).map((one) => ({ ...one, name: "place", kind: "" })),
      ...(this.found ? [{ ...this.found, name: "found", kind: "" }] : []),
    ].sort((a, b) => a.start - b.start);
    const nodes = [];
    let at = 0;
    for (const { start, end, name, kind, index } of marks) {
      if (start < at) continue;
      nodes.push(document.createTextNode(text.slice(at, start)));
      const span = make("span", name, null, kind ? { "data-kind": kind, "data-link": String(index) } : {});
      span.textContent = text.slice(start, end);
      nodes.push(span);
      at = end;
    }
    nodes.push(document.createTextNode(`${text.slice(at)}\u200b`));
    this.mirror.replaceChildren(...nodes);
  }
}
