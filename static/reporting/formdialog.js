// One dialog for everything that asks a few things and is sent to a door: what is refused is said in it, and nothing typed is lost,
// not even by closing it.

import { t } from "../i18n.js";
import { make } from "../viewer/menu.js";
import { line } from "./checks.js";

const typed = new Map();

/** Opens it; resolves to what `send` answered, or null where it was closed.
 *  @param form {name, title, lead, more: element, fields: [FIELD], go: label, send(values)}, FIELD = {name, kind: "area" | "text" |
 *  "password" | "choice" | "check" | "moment", label, needed, value, options: [[value, label, hint]], hint, most} */
export function openForm({ name, title, lead = "", more = null, fields = [], go, send }) {
  const dialog = make("dialog", "report-dialog act-dialog", document.body, { "aria-labelledby": "act-title", "data-act": name });
  make("h2", "", dialog, { id: "act-title" }).textContent = title;
  if (lead) make("p", "quiet", dialog).textContent = lead;
  if (more) dialog.append(more);
  const form = make("form", "signing-form", dialog, { method: "dialog" });
  const before = typed.get(name) ?? {};
  const controls = fields.map((field) => control(form, field, before[field.name] ?? field.value));
  const told = make("div", "refusal", form, { role: "alert" });
  const row = make("div", "row", form);
  const button = make("button", "primary", row, { type: "submit" });
  button.textContent = go;
  const away = make("button", "", row, { type: "button" });
  away.textContent = t("Not now");
  away.addEventListener("click", () => dialog.close());
  let answer = null;

  const values = () => Object.fromEntries(controls.map((one) => [one.name, one.value]));

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const empty = controls.find((one) => one.needed && !one.value);
    if (empty) {
      told.replaceChildren(said(t("This is needed: {label}", { label: empty.label })));
      empty.focus();
      return;
    }
    button.disabled = true;
    told.replaceChildren();
    try {
      answer = { done: await send(values()) };
      dialog.close();
    } catch (problem) {
      refused(problem);
    }
    button.disabled = false;
  });

  function refused({ body, message }) {
    told.replaceChildren(said(body?.detail || message));
    if (body?.problems?.length) {
      const list = make("ul", "checks", told);
      for (const one of body.problems) list.append(line({ ...one, field: "" }));
    }
    const password = controls.find(({ kind }) => kind === "password");
    if (password) password.value = "";
    (password ?? controls[0])?.focus();
  }

  dialog.showModal();
  (controls.find((one) => one.needed && !one.value) ?? controls[0])?.focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      if (answer) typed.delete(name);
      else typed.set(name, Object.fromEntries(controls.filter(({ kind }) => !["password", "moment"].includes(kind)).map((one) => [one.name, one.value])));
      dialog.remove();
      resolve(answer?.done ?? (answer ? {} : null));
    });
  });
}

function said(text) {
  const words = make("p", "wrong");
  words.textContent = text;
  return words;
}

function control(form, field, value) {
  if (field.kind === "choice") return choice(form, field, value);
  if (field.kind === "check") return check(form, field, value);
  const label = make("label", "field", form);
  make("span", "", label).textContent = field.label;
  const type = { password: "password", moment: "datetime-local" }[field.kind] ?? "text";
  const input = field.kind === "area" ? make("textarea", "", label, { rows: "4", name: field.name }) : make("input", "", label, { type, name: field.name });
  if (field.most) input.maxLength = field.most;
  input.autocomplete = field.kind === "password" ? "current-password" : "off";
  input.value = value ?? "";
  return {
    ...field,
    focus: () => input.focus(),
    get value() {
      return field.kind === "password" ? input.value : input.value.trim();
    },
    set value(now) {
      input.value = now;
    },
  };
}

function choice(form, field, value) {
  const box = make("fieldset", "meanings", form);
  make("legend", "", box).textContent = field.label;
  const inputs = field.options.map(([one, words, hint = ""]) => {
    const row = make("label", hint ? "meaning hinted" : "meaning", box);
    const input = make("input", "", row, { type: "radio", name: field.name, value: one });
    input.checked = one === value;
    make("strong", "", row).textContent = words;
    if (hint) make("span", "quiet", row).textContent = hint;
    return input;
  });
  return {
    ...field,
    focus: () => (inputs.find(({ checked }) => checked) ?? inputs[0]).focus(),
    get value() {
      return inputs.find(({ checked }) => checked)?.value ?? "";
    },
  };
}

function check(form, field, value) {
  const row = make("label", "meaning", form);
  const input = make("input", "", row, { type: "checkbox", name: field.name });
  input.checked = Boolean(value);
  make("strong", "", row).textContent = field.label;
  if (field.hint) make("span", "quiet", row).textContent = field.hint;
  return {
    ...field,
    focus: () => input.focus(),
    get value() {
      return input.checked;
    },
  };
}
