// Dialogs over a page: one with a title, and a form that asks a few things and is sent to a door. What is refused is said in it, and
// nothing typed is lost by that.

import { t } from "./i18n.js";
import { make } from "./viewer/menu.js";

const MANY = 6;
const typed = new Map();
let number = 0;

/** A dialog with its title, not shown yet; it leaves the page when it closes. @param icon draws the cross, where there is one */
export function dialogOf({ title, className = "", icon = null, attributes = {} }) {
  number += 1;
  const id = `dialog-${number}-title`;
  const dialog = make("dialog", `dialog ${className}`.trim(), document.body, { "aria-labelledby": id, ...attributes });
  const head = make("header", "", dialog);
  make("h2", "", head, { id }).textContent = title;
  if (icon) {
    const close = make("button", "plain", head, { type: "button", "aria-label": t("Close") });
    close.append(icon("x"));
    close.addEventListener("click", () => dialog.close());
  }
  dialog.addEventListener("close", () => dialog.remove());
  return dialog;
}

/** Asks; resolves to what `send` answered ({} for nothing), or to null where the dialog was closed without.
 *  @param form {name, title, lead, more: element, fields: [FIELD], go: label, danger, send(values, say, dialog), also(refusal):
 *  elements}; `say(words)` tells something meanwhile;
 *  FIELD = {name, kind: a key of KINDS, label, needed, value, options: [[value, label, hint]], hint, most}. Under a `name` what
 *  was typed outlives closing, passwords and times apart. */
export function openForm({ name = "", title, lead = "", more = null, fields = [], go, danger = false, send, also = () => [] }) {
  const dialog = dialogOf({ title, className: fields.length > MANY ? "asking many" : "asking", attributes: name ? { "data-act": name } : {} });
  if (lead) make("p", "quiet", dialog, { dir: "auto" }).textContent = lead;
  if (more) dialog.append(more);
  const form = make("form", "", dialog, { method: "dialog", novalidate: "" });
  const before = typed.get(name) ?? {};
  const controls = fields.map((field) => ({ ...field, ...KINDS[field.kind](form, field, before[field.name] ?? field.value ?? "") }));
  const told = make("div", "refusal", form, { role: "alert" });
  const row = make("div", "row", form);
  const button = make("button", danger ? "danger" : "primary", row, { type: "submit" });
  button.textContent = go;
  const away = make("button", "", row, { type: "button" });
  away.textContent = t("Not now");
  away.addEventListener("click", () => dialog.close());
  let answer = null;

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const empty = controls.find((one) => one.needed && !one.read());
    if (empty) {
      told.replaceChildren(said(t("This is needed: {label}", { label: empty.label })));
      empty.element.focus();
      return;
    }
    button.disabled = true;
    told.replaceChildren();
    try {
      const say = (words) => told.replaceChildren(...(words ? [said(words)] : []));
      answer = { done: (await send(valuesOf(controls), say, dialog)) ?? {} };
      dialog.close();
    } catch (problem) {
      refused(problem);
    }
    button.disabled = false;
  });

  function refused(problem) {
    told.replaceChildren(said(problem.body?.detail || problem.message), ...also(problem));
    const password = controls.find(({ kind }) => kind === "password");
    if (password) password.element.value = "";
    (password ?? controls[0])?.element.focus();
  }

  dialog.showModal();
  ((controls.find((one) => one.needed && !one.read()) ?? controls[0])?.element ?? button).focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      if (answer) typed.delete(name);
      else if (name) typed.set(name, valuesOf(controls.filter(({ kind }) => !FORGOTTEN.includes(kind))));
      resolve(answer?.done ?? null);
    });
  });
}

const valuesOf = (controls) => Object.fromEntries(controls.map(({ name, read }) => [name, read()]));

function said(text) {
  return Object.assign(make("p", "wrong"), { textContent: text });
}

// --- controls: {element: what takes the focus, read()}

const FORGOTTEN = ["password", "moment"];
const KINDS = {
  text: (form, field, value) => typing(form, field, value, make("input", "", null, { type: "text", autocomplete: "off", spellcheck: "false" })),
  area: (form, field, value) => typing(form, field, value, make("textarea", "", null, { rows: "4", autocomplete: "off" })),
  date: (form, field, value) => typing(form, field, value, make("input", "", null, { type: "date", autocomplete: "off" })),
  moment: (form, field, value) => typing(form, field, value, make("input", "", null, { type: "datetime-local", autocomplete: "off" })),
  password,
  select,
  choice,
  check,
};

function typing(form, { name, label, hint = "", most = 0, needed = false }, value, input) {
  number += 1;
  const id = `dialog-field-${number}`;
  const field = make("div", "field", form);
  make("label", "", field, { for: id }).textContent = needed ? t("{label} (needed)", { label }) : label;
  field.append(input);
  Object.assign(input, { id, name, value });
  if (needed) input.setAttribute("aria-required", "true");
  if (most) input.maxLength = most;
  if (hint) {
    input.setAttribute("aria-describedby", `${id}-hint`);
    make("span", "quiet", field, { id: `${id}-hint` }).textContent = hint;
  }
  return { element: input, read: () => input.value.trim() };
}

function password(form, field) {
  const input = make("input", "", null, { type: "password", autocomplete: "current-password" });
  return { ...typing(form, field, "", input), read: () => input.value };
}

function select(form, field, value) {
  const input = make("select", "");
  for (const [one, words] of field.options) input.append(new Option(words, one));
  const known = field.options.some(([one]) => one === value);
  return typing(form, field, known ? value : field.options[0][0], input);
}

function choice(form, { name, label, options }, value) {
  const box = make("fieldset", "meanings", form);
  make("legend", "", box).textContent = label;
  const inputs = options.map(([one, words, hint = ""]) => {
    const row = make("label", hint ? "meaning hinted" : "meaning", box);
    const input = make("input", "", row, { type: "radio", name, value: one });
    input.checked = one === value;
    make("strong", "", row).textContent = words;
    if (hint) make("span", "quiet", row).textContent = hint;
    return input;
  });
  const chosen = () => inputs.find(({ checked }) => checked);
  return { element: chosen() ?? inputs[0], read: () => chosen()?.value ?? "" };
}

function check(form, { name, label, hint = "" }, value) {
  const row = make("label", "meaning", form);
  const input = make("input", "", row, { type: "checkbox", name });
  input.checked = Boolean(value);
  make("strong", "", row).textContent = label;
  if (hint) make("span", "quiet", row).textContent = hint;
  return { element: input, read: () => input.checked };
}
