// Asks for a text or a number on the picture, where it belongs.

import { t } from "../../../i18n.js";

/** A promise of what was written; null when it was given up.
 *  @param options {at: {x, y}, label, number: true where mm are asked for, value} */
export function asked(stage, { at, label, number = false, value = "", icon }) {
  const form = document.createElement("form");
  form.className = "mark-entry";
  form.noValidate = true;
  const field = document.createElement("label");
  const said = Object.assign(document.createElement("span"), { textContent: label, className: number ? "" : "unseen" });
  const input = Object.assign(document.createElement("input"), { type: "text", value, maxLength: number ? 12 : 200, autocomplete: "off", placeholder: number ? "" : label });
  if (number) {
    input.inputMode = "decimal";
    input.className = "number";
  }
  field.append(said, input, number ? "mm" : "");
  const button = Object.assign(document.createElement("button"), { type: "submit", title: t("Keep") });
  button.setAttribute("aria-label", t("Keep"));
  button.append(icon("check"));
  form.append(field, button);
  stage.append(form);
  place(form, stage, at);
  input.focus();
  input.select();
  return new Promise((answer) => {
    const done = (text) => {
      form.remove();
      answer(text);
    };
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = input.value.trim();
      const length = Number(text.replace(",", "."));
      if (!number) done(text);
      else if (length > 0 && length < 1e5) done(length);
      else input.setAttribute("aria-invalid", "true");
    });
    form.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape") done(null);
    });
  });
}

function place(form, stage, { x, y }) {
  const [room, own] = [stage.getBoundingClientRect(), form.getBoundingClientRect()];
  form.style.left = `${Math.max(4, Math.min(room.width - own.width - 4, x + 8))}px`;
  form.style.top = `${Math.max(4, Math.min(room.height - own.height - 4, y + 8))}px`;
}
