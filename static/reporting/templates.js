// Which template the report is written in, why this one, and another in its place.

import { dialogOf } from "../dialog.js";
import { t } from "../i18n.js";
import { make } from "../viewer/menu.js";
import { narrowed } from "./narrowing.js";

/** Opens the choice; resolves to a template {id, title, ...} or null. */
export async function chooseTemplate({ ask, study, now, icon }) {
  const dialog = dialogOf({ title: t("Template of this report"), className: "templates", icon });
  make("p", "quiet", dialog).textContent = t("What you wrote stays: fields of the same name and sections of the same kind are filled again, the rest is listed.");
  const search = make("input", "", dialog, { type: "search", placeholder: t("Narrow the list"), "aria-label": t("Narrow the list"), autocomplete: "off" });
  const list = make("ul", "template-list", dialog);
  const always = make("label", "meant", dialog);
  const keep = make("input", "", always, { type: "checkbox" });
  make("span", "", always).textContent = t("Begin my reports of such examinations with it from now on");
  const none = make("p", "quiet", dialog, { role: "status" });
  none.textContent = t("Loading…");
  let chosen = null;
  let templates = [];

  function draw() {
    const wanted = search.value.trim().toLowerCase();
    const rows = templates.filter(({ title, why }) => `${title} ${why}`.toLowerCase().includes(wanted));
    list.replaceChildren(...rows.map((one) => row(one, one.id === now?.id, () => take(one))));
    none.textContent = rows.length ? "" : t("No template of that name.");
  }

  function take(one) {
    chosen = one;
    dialog.close();
  }

  narrowed(search, list, ".template-row", draw);
  dialog.showModal();
  search.focus();
  const { study_instance_uid, organization } = study;
  const closed = new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      if (chosen && keep.checked) ask("/api/templates/default/", { method: "PUT", body: { template: chosen.id, study: study_instance_uid, ...(organization ? { organization } : {}) } }).catch(() => {});
      resolve(chosen);
    });
  });
  try {
    const query = new URLSearchParams({ study: study_instance_uid, ...(organization ? { organization } : {}) });
    ({ templates = [] } = await ask(`/api/templates/?${query}`));
    draw();
  } catch (problem) {
    none.textContent = problem.message;
  }
  return closed;
}

function row({ title, version, why }, isNow, take) {
  const item = make("li", "");
  const button = make("button", "template-row", item, { type: "button", "aria-current": String(isNow) });
  make("strong", "", button).textContent = title;
  make("span", "quiet", button).textContent = [isNow ? t("in use") : "", why, version ? t("version {n}", { n: version }) : ""].filter(Boolean).join(" · ");
  button.addEventListener("click", take);
  return item;
}
