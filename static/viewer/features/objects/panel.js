// The panel of objects: everything in the study that is no picture, what it is, why it cannot be shown where it cannot; a report
// that was opened takes the place of the list.

import { t, told } from "../../../i18n.js";
import { isoDate } from "../../../text.js";
import { make } from "../../menu.js";
import { grouped, kindOf, made } from "./words.js";

const put = (tag, className, parent, text) => {
  const element = make(tag, className, parent);
  element.textContent = text;
  return element;
};

export class Panel {
  constructor(workbench, feature) {
    this.workbench = workbench;
    this.feature = feature;
  }

  fill(element) {
    const focused = element.contains(document.activeElement) ? document.activeElement.dataset.focus : null;
    const scrolled = element.parentElement.scrollTop;
    element.replaceChildren();
    element.className = "contents objects";
    if (this.feature.reading) this.#report(element, this.feature.reading);
    else this.#list(element);
    if (!focused) return;
    element.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
    element.parentElement.scrollTop = scrolled;
  }

  // --- the list

  #list(element) {
    const { feature } = this;
    put("h2", "", element, t("Objects"));
    const { study } = this.feature;
    if (study !== this.workbench.study) put("p", "quiet", element, t("Of the study of {date}, which the active viewport shows.", { date: isoDate(study.date) || t("no date") }));
    this.#filter(element);
    this.#rows(element, t("Presentation state"), feature.states, "radio");
    this.#rows(element, t("Overlays"), feature.overlays, "checkbox");
    const { state, objects, problem } = feature.held;
    if (state === "loading") put("p", "quiet", element, t("Loading…"));
    else if (state === "failed") this.#failed(element, problem);
    else if (!objects.length) put("p", "quiet", element, t("This study holds pictures only: no reports, documents, segmentations or presentation states."));
    else {
      const list = make("ul", "object-list", element);
      for (const object of grouped(objects)) this.#row(list, object);
    }
  }

  #failed(element, problem) {
    make("p", "note danger", element, { role: "alert" }).textContent = t("The objects could not be loaded. {why}", { why: problem });
    const again = put("button", "", element, t("Try again"));
    again.type = "button";
    again.addEventListener("click", () => this.feature.load(this.feature.study));
  }

  #row(list, object) {
    const { label, icon } = kindOf(object.kind);
    const row = make("li", "", list);
    const act = object.reason ? null : this.feature.opener(object);
    const head = make(act ? "button" : "div", "object", row, act ? { type: "button", "data-focus": object.sop_instance_uid } : {});
    head.append(this.workbench.icon(object.reason ? "file-x" : icon));
    const words = make("span", "words", head);
    put("span", "what", words, object.title || label);
    put("span", "quiet", words, [object.title ? label : "", made(object)].filter(Boolean).join(", "));
    if (object.reason) put("span", "quiet", words, t("Cannot be shown: {why}", { why: told(object.reason) }));
    if (object.superseded) put("span", "quiet", words, t("A newer one took its place."));
    if (act) head.addEventListener("click", act);
    this.feature.extras(row, object);
  }

  #rows(element, heading, rows, type) {
    if (!rows.length) return;
    const set = make("fieldset", "choices-of-view", element);
    put("legend", "", set, heading);
    for (const [index, { label, detail, checked, part }] of rows.entries()) {
      const holder = make("label", "", set);
      const input = make("input", "", holder, { type, name: heading, "data-focus": `${heading} ${index}` });
      input.checked = checked;
      const words = make("span", "words", holder);
      put("span", "", words, label);
      if (detail) put("span", "quiet", words, detail);
      input.addEventListener("change", () => this.feature.change(part));
    }
  }

  /** What goes on while scrolling is narrowed to a key object selection. */
  #filter(element) {
    const { filter } = this.feature;
    if (!filter.on) return;
    const box = make("div", "filtering", element, { role: "status" });
    put("strong", "", box, filter.title);
    const all = filter.list.length === 1 ? t("1 image selected") : t("{n} images selected", { n: filter.list.length });
    put("span", "quiet", box, filter.at < 0 || filter.list.length === 1 ? all : t("{at} of {n} images selected", { at: filter.at + 1, n: filter.list.length }));
    const row = make("div", "row", box);
    for (const [label, by] of [[t("Previous"), -1], [t("Next"), 1]]) this.#button(row, label, () => filter.step(this.workbench.active, by), `step ${by}`);
    this.#button(row, t("Show everything"), () => filter.stop(), "clear");
  }

  #button(parent, label, act, focus = label) {
    const button = put("button", "small", parent, label);
    button.type = "button";
    button.dataset.focus = focus;
    button.addEventListener("click", act);
    return button;
  }

  // --- a report in place of the list

  #report(element, { object, state, document, problem }) {
    const row = make("div", "row", element);
    this.#button(row, t("All objects"), () => this.feature.close(), "back");
    if (state === "ready") this.#button(row, t("Open wide"), () => this.feature.wide(), "wide");
    put("h2", "", element, document?.title || object.title || kindOf(object.kind).label);
    if (state === "loading") put("p", "quiet", element, t("Loading…"));
    else if (state === "failed") make("p", "note danger", element, { role: "alert" }).textContent = t("This cannot be shown. {why}", { why: problem });
    else this.feature.draw(element, document);
  }
}
