// "Save this layout as a protocol": an administrator's dialog. What is wrong is said in it, and nothing is lost.

import { t } from "../../../i18n.js";
import { make } from "../../menu.js";
import { Refused, rest } from "../rest.js";
import { patternOf, stageOf } from "./capture.js";

const ADDRESS = "/api/hanging-protocols/";

/** What panes show, for `stageOf`. */
export function panesOf(viewports) {
  return viewports.map((viewport) => {
    if (!viewport.source?.stack) return null;
    const view = viewport.header?.view ?? viewport.wish;
    const first = viewport.first ?? {};
    const window = ["window_center", "window_width", "preset"].some((field) => (first[field] ?? null) !== null) || !isFirstWindow(viewport);
    return { source: viewport.source, view, window, suv: viewport.opened?.suv?.factor ?? null };
  });
}

/** Is the window still the one that the server chose? */
function isFirstWindow({ opened, header }) {
  const [chosen, now] = [opened?.view ?? {}, header?.view ?? {}];
  return ["window_center", "window_width", "preset"].every((field) => (chosen[field] ?? null) === null || chosen[field] === now[field]);
}

export class Saving {
  /** @param saved called with the protocol's row */
  constructor(workbench, stages, saved) {
    this.workbench = workbench;
    this.stages = stages;
    this.saved = saved;
  }

  open() {
    this.dialog?.remove();
    const { workbench } = this;
    const panes = panesOf(workbench.viewports);
    const stage = stageOf("", workbench.layout.name, panes, this.stages.hanging?.priors ?? []);
    this.dialog = make("dialog", "help saving", document.body, { "aria-labelledby": "saving-title" });
    const form = make("form", "", this.dialog, { method: "dialog" });
    make("h2", "", form, { id: "saving-title" }).textContent = t("Save this layout as a protocol");
    const kind = (this.stages.hanging?.kind ?? "").split("/");
    const into = this.#into(form);
    const fields = {
      name: this.#field(form, t("Name of the protocol"), [...kind].filter(Boolean).join(" "), true),
      stage: this.#field(form, t("Name of this stage"), t("First view"), true),
      modality: this.#field(form, t("Modality"), kind[0] ?? ""),
      body_part: this.#field(form, t("Part of the body"), kind[1] ?? ""),
      description: this.#field(form, t("Words of the study description"), "", false, patternOf(workbench.study.description)),
    };
    const rules = make("p", "quiet", form);
    rules.textContent = t("It hangs every study for which all of these hold. Empty ones say nothing. Everything else can be changed in the administration.");
    this.#choosing(into, fields, rules);
    make("pre", "quiet", form).textContent = stage.viewports.map((slot, index) => `${index + 1}. ${slotWords(slot)}`).join("\n");
    this.problems = make("ul", "wrong", form, { role: "alert" });
    const row = make("div", "row", form);
    const save = make("button", "primary", row, { type: "submit" });
    save.textContent = t("Save");
    const close = make("button", "", row, { type: "button" });
    close.textContent = t("Cancel");
    close.addEventListener("click", () => this.dialog.close());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#save(fields, stage, save, into.value);
    });
    this.dialog.addEventListener("close", () => workbench.active.element.focus({ preventScroll: true }));
    this.dialog.showModal();
    fields.name.select();
  }

  /** A new protocol, or one of the organization that the stage is added to. */
  #into(form) {
    const field = make("label", "field", form);
    make("span", "", field).textContent = t("Save as");
    const choice = make("select", "", field);
    choice.append(new Option(t("A new protocol"), ""));
    const { organization } = this.workbench.study;
    this.own = rest(ADDRESS).then(
      ({ protocols }) => protocols.filter((one) => one.organization === organization),
      () => [],
    );
    return choice;
  }

  /** A stage of a protocol that is there has a name of its own; for which studies it is, the protocol says. */
  async #choosing(choice, fields, rules) {
    const { name, modality, body_part: body, description } = fields;
    const show = (row) => {
      for (const input of [name, modality, body, description]) input.closest("label").hidden = Boolean(row);
      name.required = !row;
      rules.hidden = Boolean(row);
    };
    choice.closest("label").hidden = true;
    const own = await this.own;
    choice.closest("label").hidden = !own.length;
    for (const row of own) choice.append(new Option(t("A stage more of “{name}” ({n})", { name: row.name, n: row.stages.length }), String(row.id)));
    choice.addEventListener("change", () => {
      const row = own.find(({ id }) => String(id) === choice.value);
      show(row);
      if (row) fields.stage.value = t("Stage {n}", { n: row.stages.length + 1 });
    });
  }

  #field(form, label, value, required = false, placeholder = "") {
    const field = make("label", "field", form);
    make("span", "", field).textContent = label;
    const input = make("input", "", field, { type: "text", maxlength: "200", placeholder });
    input.value = value;
    input.required = required;
    return input;
  }

  async #save(fields, stage, button, protocol) {
    const list = (text) => text.split(",").map((part) => part.trim()).filter(Boolean);
    const matches = {
      ...ifAny("modality", list(fields.modality.value.toUpperCase())),
      ...ifAny("body_part", list(fields.body_part.value)),
      ...ifAny("description", list(fields.description.value)),
    };
    const stages = [{ ...stage, name: fields.stage.value }];
    const body = { name: fields.name.value || fields.stage.value, organization: this.workbench.study.organization, matches, stages, ...(protocol ? { protocol: Number(protocol) } : {}) };
    button.disabled = true;
    this.problems.replaceChildren();
    try {
      const row = await rest(ADDRESS, { method: "POST", body });
      this.dialog.close();
      this.saved(row);
    } catch (problem) {
      const said = problem instanceof Refused ? (problem.body?.problems ?? [problem.message]) : [String(problem)];
      for (const text of said) make("li", "", this.problems).textContent = text;
    } finally {
      button.disabled = false;
    }
  }
}

const ifAny = (name, values) => (values.length ? { [name]: values } : {});

/** A slot as a line of text. */
function slotWords(slot) {
  if (!slot) return t("stays empty");
  if (slot.same_as) return t("the same as viewport {n}", { n: slot.same_as });
  const { modality = [], plane = [], view_position: view = [], laterality = [], description = [] } = slot.series;
  const words = [slot.study ?? "", ...modality, ...plane, ...laterality, ...view, ...description.map((text) => `“${text}”`)];
  return words.filter(Boolean).join(", ");
}
