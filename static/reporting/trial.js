// A template tried out in the administration: follow-up questions come and go as on the report's page.

import { shown } from "./showing.js";

const form = document.getElementById("trial");
const schema = JSON.parse(document.getElementById("schema").textContent);

/** What is filled in, by the types of the fields. */
function contentOf() {
  const content = {};
  for (const { fields } of schema.sections) {
    for (const { id, type, multiple } of fields) {
      const controls = [...form.querySelectorAll(`[name="${id}"]`)];
      if (type === "checkbox") content[id] = controls.some((one) => one.checked);
      else if (multiple) content[id] = controls.filter((one) => one.checked).map((one) => one.value);
      else content[id] = type === "number" && controls[0].value ? Number(controls[0].value) : controls[0].value;
    }
  }
  return content;
}

function draw() {
  const visible = shown(schema, contentOf());
  for (const row of form.querySelectorAll("[data-field]")) row.hidden = !visible.has(row.dataset.field);
  for (const section of form.querySelectorAll("fieldset.module")) {
    const rows = [...section.querySelectorAll("[data-field]")];
    section.hidden = rows.length > 0 && rows.every((row) => row.hidden);
  }
}

form.addEventListener("input", draw);
form.addEventListener("change", draw);
draw();
