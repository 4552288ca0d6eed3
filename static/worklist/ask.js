// One question in a dialog: fields in, what was typed out. Nothing is sent from here.

import { t } from "../i18n.js";
import { make } from "../viewer/menu.js";

/** Asks; resolves to {field: value}, or null when the person thinks better of it.
 *  @param fields [{name, label, kind: "text" | "long" | "choice" | "time", choices?, value?, required?, hint?}]
 *  @param send called with the values; what it throws is shown, and the dialog stays with all that was typed */
export function ask({ title, about = "", fields, go, danger = false, send }) {
  return new Promise((resolve) => {
    const dialog = make("dialog", "question", document.body, { "aria-labelledby": "question-title" });
    const form = make("form", "", dialog, { method: "dialog", novalidate: "" });
    make("h2", "", form, { id: "question-title" }).textContent = title;
    if (about) make("p", "about", form, { dir: "auto" }).textContent = about;
    const problem = make("p", "note danger", form, { role: "alert" });
    problem.hidden = true;
    const inputs = new Map(fields.map((field) => [field.name, one(form, field)]));
    const row = make("div", "row", form);
    const no = make("button", "", row, { type: "button" });
    no.textContent = t("Cancel");
    const yes = make("button", danger ? "danger" : "primary", row, { type: "submit" });
    yes.textContent = go;
    let answer = null;
    no.addEventListener("click", () => dialog.close());
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const empty = fields.find(({ name, required }) => required && !inputs.get(name).value.trim());
      if (empty) {
        tell(problem, t("{field} is needed.", { field: empty.label }));
        inputs.get(empty.name).focus();
        return;
      }
      yes.disabled = true;
      try {
        const values = Object.fromEntries([...inputs].map(([name, input]) => [name, input.value.trim()]));
        answer = { values, said: await send(values) };
        dialog.close();
      } catch (refused) {
        tell(problem, refused.message);
      } finally {
        yes.disabled = false;
      }
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(answer);
    });
    dialog.showModal();
    (inputs.values().next().value ?? yes).focus();
  });
}

function tell(element, words) {
  element.textContent = words;
  element.hidden = false;
}

let number = 0;

function one(form, { name, label, kind, choices = [], value = "", required = false, hint = "" }) {
  const id = `question-${(number += 1)}`;
  const field = make("div", "field", form);
  make("label", "", field, { for: id }).textContent = label;
  const tag = { long: "textarea", choice: "select" }[kind] ?? "input";
  const input = make(tag, "", field, { id, name, ...(required ? { required: "" } : {}), ...(tag === "input" ? { type: kind === "time" ? "datetime-local" : kind === "date" ? "date" : "text", autocomplete: "off", spellcheck: "false" } : {}) });
  for (const [word, said] of choices) input.append(new Option(said, word, false, word === value));
  if (kind !== "choice") input.value = value;
  if (hint) make("span", "quiet", field).textContent = hint;
  return input;
}
