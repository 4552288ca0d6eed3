// Choosing a patient, an order or a study in a dialog: words are typed, the doors are asked, one of what they find is chosen.

import { t } from "../i18n.js";
import { isoDate, personName } from "../text.js";
import { make } from "../viewer/menu.js";

const PAUSE = 250;

/** {element, chosen()}: a field to type in (where `ask` wants words) and what was found. `ask(words)` resolves to rows;
 *  `told(row)` is [title, more]; `beside(row)` an element shown for the chosen one. */
export function finder({ label, ask, told, beside = null, none, typing = true }) {
  const element = make("div", "finding");
  let rows = [];
  let chosen = null;
  let asked = 0;
  let waiting = null;
  if (typing) {
    const field = make("div", "field", element);
    const wrap = make("label", "", field);
    make("span", "", wrap).textContent = label;
    const input = make("input", "", wrap, { type: "search", autocomplete: "off", spellcheck: "false" });
    input.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => look(input.value), PAUSE);
    });
  }
  const box = make("fieldset", "", element);
  make("legend", "unseen", box).textContent = label;
  const list = make("div", "", box);
  const state = make("p", "quiet", element, { role: "status" });
  const more = make("div", "", element);

  async function look(words) {
    asked += 1;
    const own = asked;
    try {
      const found = await ask(words.trim());
      if (own === asked) show(found);
    } catch (problem) {
      state.textContent = problem.message;
    }
  }

  function show(found) {
    rows = found;
    chosen = null;
    more.replaceChildren();
    list.replaceChildren(...rows.map(row));
    state.textContent = rows.length ? "" : none;
  }

  function row(one, place) {
    const line = make("label", "");
    const input = make("input", "", line, { type: "radio", name: "found", value: String(place) });
    const [title, quiet] = told(one);
    make("strong", "", line, { dir: "auto" }).textContent = title;
    if (quiet) make("span", "quiet", line, { dir: "auto" }).textContent = quiet;
    input.addEventListener("change", () => {
      chosen = one;
      more.replaceChildren(...(beside ? [beside(one)] : []));
    });
    return line;
  }

  look("");
  return { element, chosen: () => chosen };
}

/** Two patients side by side; where they differ is said by more than colour. */
export function sideBySide(now, other) {
  const table = make("table", "beside");
  const head = make("tr", "", make("thead", "", table));
  for (const words of ["", t("Now"), t("Then")]) {
    const cell = make(words ? "th" : "td", "", head);
    if (words) cell.scope = "col";
    cell.textContent = words;
  }
  const body = make("tbody", "", table);
  for (const [words, ours, theirs] of [
    [t("Name"), personName(now.name), personName(other.name)],
    [t("Patient ID"), id(now), id(other)],
    [t("Birth date"), isoDate(now.birth_date), isoDate(other.birth_date)],
    [t("Sex"), now.sex, other.sex],
  ]) {
    const line = make("tr", ours === theirs ? "" : "differs", body);
    make("th", "", line, { scope: "row" }).textContent = words;
    make("td", "", line, { dir: "auto" }).textContent = ours || "–";
    make("td", "", line, { dir: "auto" }).textContent = theirs || "–";
  }
  return table;
}

const id = ({ patient_id, issuer }) => (issuer ? `${patient_id} (${issuer})` : patient_id);

export const patientTold = (one) => [
  personName(one.name),
  [id(one), isoDate(one.birth_date), one.sex, one.studies ? (one.studies === 1 ? t("1 study") : t("{n} studies", { n: one.studies })) : t("no studies")].filter(Boolean).join(" · "),
];

export const orderTold = (one) => [
  one.description || one.accession_number,
  [one.accession_number, one.modality, personName(one.patient_name), one.scheduled_at.slice(0, 10), one.same_patient ? "" : t("another patient")].filter(Boolean).join(" · "),
];

export const studyTold = (one) => [
  one.description || t("No description"),
  [isoDate(one.date), one.modalities.join(", "), one.accession_number].filter(Boolean).join(" · "),
];
