// An earlier report beside the one that is written: its text next to the section it belongs to, to read and to compare with.

import { t } from "../i18n.js";
import { isoDate } from "../text.js";
import { make } from "../viewer/menu.js";
import { drawn } from "./difference.js";
import { sectionWords } from "./fieldwords.js";

/** The section of another report that says the same kind of thing: by its code, its id, its title. */
export function counterpart(section, others) {
  const alike = [
    (one) => section.code?.value && one.code?.value === section.code.value && one.code.scheme === section.code.scheme,
    (one) => one.id === section.id,
    (one) => one.title.trim().toLowerCase() === section.title.trim().toLowerCase(),
  ];
  return alike.map((same) => others.find(same)).find(Boolean) ?? null;
}

/** One of two reads apart, by its reader. */
export const readBy = (name) => t("Read by {name}", { name });

export class Priors {
  /** @param parts {editor, draft, ask, remembered} */
  constructor({ editor, draft, ask, icon }) {
    Object.assign(this, { editor, draft, ask, icon });
    this.shown = null;
    this.comparing = false;
    editor.addEventListener("refreshed", () => this.comparing && this.#soon());
  }

  get list() {
    const { priors = [], reads = [] } = this.draft.report;
    return [...reads.map(({ id, by }) => ({ id, title: readBy(by) })), ...priors];
  }

  /** A choice of the earlier reports, the newest first. */
  chooser() {
    const box = make("div", "prior-choice");
    const select = make("select", "", box, { "aria-label": t("Earlier report beside") });
    this.select = select;
    select.add(new Option(this.list.length ? t("Earlier reports: {n}", { n: this.list.length }) : t("No earlier report"), ""));
    for (const { id, study_date: date, title, state } of this.list) select.add(new Option([isoDate(date), title, state === "preliminary" ? t("preliminary") : ""].filter(Boolean).join("  "), String(id)));
    select.disabled = !this.list.length;
    const compare = make("button", "prior-compare", box, { type: "button", "aria-pressed": "false" });
    compare.append(t("Compare"));
    compare.hidden = true;
    compare.addEventListener("click", () => {
      this.comparing = !this.comparing;
      compare.setAttribute("aria-pressed", String(this.comparing));
      this.#draw();
    });
    select.addEventListener("change", async () => {
      await this.show(select.value ? Number(select.value) : null);
      compare.hidden = !this.shown;
    });
    return box;
  }

  /** As if it were chosen in the list. */
  choose(id) {
    this.select.value = String(id);
    this.select.dispatchEvent(new Event("change"));
  }

  /** Shows an earlier report beside; null takes it away. */
  async show(id) {
    this.problem = "";
    this.shown = null;
    if (id !== null) {
      try {
        this.shown = await this.ask(`/api/reports/${id}/`);
      } catch (problem) {
        this.problem = problem.message;
      }
    }
    this.#draw();
  }

  #soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#draw(), 300);
  }

  #draw() {
    const others = this.shown?.schema?.sections ?? [];
    const used = new Set();
    for (const { section, beside } of this.editor.sections.values()) {
      const found = counterpart(section, others.filter((one) => !used.has(one)));
      if (found) used.add(found);
      const text = found ? sectionWords(found, this.shown.content) : "";
      beside.replaceChildren(...(text ? this.#said(section, text) : []));
    }
    this.editor.element.toggleAttribute("data-prior", Boolean(this.shown));
    this.#rest(others.filter((one) => !used.has(one)));
  }

  #said(section, text) {
    const { study_date: date, title } = this.list.find(({ id }) => id === this.shown.id) ?? {};
    const head = make("p", "prior-head");
    head.textContent = date === undefined ? title : t("Earlier, {date}", { date: isoDate(date) });
    const body = make("div", "prior-text");
    if (this.comparing) body.append(...drawn(text, sectionWords(section, this.draft.content)));
    else body.textContent = text;
    return [head, body];
  }

  #rest(left) {
    this.extra?.remove();
    const texts = left.map((section) => [section.title, sectionWords(section, this.shown.content)]).filter(([, text]) => text);
    if (!texts.length && !this.problem) return;
    this.extra = make("section", "prior-rest", this.editor.element);
    if (this.problem) make("p", "note", this.extra, { role: "alert" }).textContent = this.problem;
    for (const [title, text] of texts) {
      make("p", "prior-head", this.extra).textContent = t("Earlier report, {section}", { section: title });
      make("div", "prior-text", this.extra).textContent = text;
    }
  }
}
