// Two people changed the same fields: what each wrote, side by side with the difference marked, and a choice for each field.

import { dialogOf } from "../dialog.js";
import { t } from "../i18n.js";
import { make } from "../viewer/menu.js";
import { drawn } from "./difference.js";
import { valueWords } from "./fieldwords.js";
import { joinable, joined } from "./merging.js";

/** Opens the choice; resolves to {field: value}. It cannot be put off: until it is made nothing is saved on the server, and all
 *  stays in the journal of this browser.
 *  @param fields as of a schema @param words {title, lead, mine, theirs} */
export function settleClashes(clashes, fields, words) {
  const dialog = dialogOf({ title: words.title, className: "clash" });
  make("p", "quiet", dialog).textContent = words.lead;
  const chosen = new Map();
  const form = make("form", "clashes", dialog, { method: "dialog" });
  for (const clash of clashes) form.append(one(clash, fields.find(({ id }) => id === clash.field), words, (value) => choose(clash.field, value)));
  const row = make("div", "row", form);
  const done = make("button", "primary", row, { type: "submit", disabled: "" });
  done.textContent = t("Keep this");
  const left = make("p", "quiet", row, { role: "status" });

  function choose(field, value) {
    chosen.set(field, value);
    tell();
  }

  function tell() {
    const open = clashes.length - chosen.size;
    done.disabled = open > 0;
    left.textContent = open ? t("Still to choose: {n}", { n: open }) : "";
  }

  tell();
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  dialog.showModal();
  form.querySelector("input")?.focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(Object.fromEntries(chosen)));
  });
}

function one(clash, field, words, choose) {
  const box = make("fieldset", "clash-field", null, { "data-field": clash.field });
  make("legend", "", box).textContent = [field?.sectionTitle, field?.label].filter((text, at, all) => text && all.indexOf(text) === at).join(": ") || clash.field;
  const [base, mine, theirs] = [clash.base, clash.mine, clash.theirs].map((value) => valueWords(field, value));
  const sides = make("div", "sides", box);
  const options = [
    ["mine", words.mine, clash.mine, () => drawn(base, mine)],
    ["theirs", words.theirs, clash.theirs, () => drawn(base, theirs)],
    ...(joinable(clash) ? [["both", t("Both, one after the other"), joined(clash), () => [document.createTextNode(valueWords(field, joined(clash)))]]] : []),
  ];
  for (const [name, label, value, text] of options) {
    const side = make("label", "side-by-side", sides, { "data-side": name });
    const head = make("span", "side-head", side);
    const input = make("input", "", head, { type: "radio", name: `clash-${clash.field}`, value: name });
    make("strong", "", head).textContent = label;
    const body = make("span", "side-text", side);
    body.append(...text());
    if (!body.textContent) body.append(Object.assign(document.createElement("em"), { textContent: t("empty") }));
    input.addEventListener("change", () => choose(value));
  }
  return box;
}
