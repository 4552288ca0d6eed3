// The table of studies: rows that keep their place and their element, arrows and Enter, cards on a phone by CSS alone.

import { t } from "../i18n.js";
import { ageOn, clockTime, isoDate, personName, sexWord } from "../text.js";
import { Menu } from "../viewer/menu.js";

const ARRIVED = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "short" });

/** Rows: [name, heading, sort name or null, class]. */
export const COLUMNS = [
  ["picture", "", null, "picture"],
  ["patient", t("Patient"), "name", "patient"],
  ["patient_id", "ID", "patient_id", "id"],
  ["birth", t("Born"), "birth_date", "birth"],
  ["description", t("Study"), "description", "description"],
  ["modality", t("Modality"), "modality", "modality"],
  ["images", t("Images"), "instances", "images"],
  ["date", t("Date"), "date", "date"],
  ["accession", t("Accession"), "accession_number", "accession"],
  ["organization", t("Organization"), null, "organization"],
  ["arrived", t("Arrived"), "received", "arrived"],
  ["acts", "", null, "acts"],
];

/** The words of a row, by column. */
export function rowTexts(study) {
  const { patient } = study;
  const born = isoDate(patient.birth_date);
  const years = ageOn(patient.birth_date, study.date);
  return {
    patient: personName(patient.name),
    patient_id: patient.patient_id || t("no ID"),
    birth: [born, [sexWord(patient.sex).slice(0, 1).toUpperCase(), years].filter(Boolean).join(" ")].filter(Boolean).join(" · "),
    description: study.description || t("No description"),
    modality: (study.modalities ?? []).join(" "),
    images: String(study.number_of_instances),
    date: [isoDate(study.date), clockTime(study.time).slice(0, 5)].filter(Boolean).join(" ") || t("no date"),
    accession: study.accession_number,
    organization: study.organization,
    arrived: study.created_at ? ARRIVED.format(new Date(study.created_at)) : "",
  };
}

export const studyAddress = ({ study_instance_uid, organization }, several = false) =>
  `/studies/${encodeURIComponent(study_instance_uid)}/${several && organization ? `?organization=${encodeURIComponent(organization)}` : ""}`;

export const keyOf = ({ organization, study_instance_uid }) => `${organization} ${study_instance_uid}`;

function make(tag, className, text = "") {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}

export class Table {
  /** @param possible what can be done with a study: [[words, icon, , run(study)], ...] */
  constructor(body, { pictureIcon, icon, possible, several }) {
    this.body = body;
    this.pictureIcon = pictureIcon;
    this.icon = icon;
    this.possible = possible;
    this.several = several;
    this.rows = new Map();
    body.addEventListener("keydown", (event) => this.#walk(event));
    body.addEventListener("click", (event) => this.#click(event));
    body.addEventListener("focusin", (event) => this.#rove(event.target.closest("tr")));
  }

  /** Shows exactly these studies, in this order. */
  set(studies) {
    const rows = studies.map((study) => this.#row(study));
    this.rows = new Map(rows.map((row) => [row.dataset.key, row]));
    this.body.replaceChildren(...rows);
    this.#rove(rows[0]);
  }

  /** Adds a page at the end; what is there already is only brought up to date. */
  add(studies) {
    for (const study of studies) {
      if (this.update(study)) continue;
      const row = this.#row(study);
      this.rows.set(row.dataset.key, row);
      this.body.append(row);
    }
  }

  /** Brings a row up to date where it stands; false when the study is not listed. */
  update(study, marked = false) {
    const row = this.rows.get(keyOf(study));
    if (!row) return false;
    const link = row.querySelector("a");
    const held = document.activeElement === link;
    this.#fill(row, study);
    if (held) row.querySelector("a").focus();
    if (marked) row.dataset.marked = "yes";
    return true;
  }

  mark(key) {
    const row = this.rows.get(key);
    if (row) row.dataset.marked = "yes";
  }

  has(study) {
    return this.rows.has(keyOf(study));
  }

  focusFirst() {
    this.body.querySelector("a")?.focus();
  }

  #row(study) {
    const row = make("tr", "");
    row.dataset.key = keyOf(study);
    this.#fill(row, study);
    return row;
  }

  #fill(row, study) {
    const texts = rowTexts(study);
    const open = row.querySelector(".acts:has([aria-expanded='true'])");
    const cells = COLUMNS.map(([name, heading, , className]) => {
      const cell = make(name === "patient" ? "th" : "td", className);
      if (name === "patient") cell.scope = "row";
      if (heading) cell.dataset.label = heading;
      if (name === "picture") cell.append(this.#picture(study));
      else if (name === "patient") cell.append(this.#link(study, texts));
      else if (name === "acts") this.#acts(cell, study, texts);
      else cell.textContent = texts[name];
      if (name === "description") this.#notes(cell, study);
      return cell;
    });
    if (!open) return row.replaceChildren(...cells);
    while (row.firstElementChild !== open) row.firstElementChild.remove(); // a menu stays under the hand that opened it
    open.before(...cells.slice(0, -1));
    return undefined;
  }

  #acts(cell, study, texts) {
    const acts = this.possible(study);
    if (!acts.length) return;
    const label = t("What can be done with {name}", { name: texts.patient });
    const fill = (menu) => acts.forEach(([words, picture, , run]) => menu.item({ label: words, icon: this.icon(picture), run: () => run(study) }));
    const menu = new Menu(cell, { label, icon: this.icon("ellipsis-vertical"), name: "acts", className: "plain", fill });
    menu.button.tabIndex = -1;
  }

  #link(study, texts) {
    const link = make("a", "", texts.patient);
    link.href = studyAddress(study, this.several);
    link.tabIndex = -1;
    return link;
  }

  #notes(cell, study) {
    const notes = [...(study.warnings ?? [])];
    if (study.conflicts) notes.push(study.conflicts === 1 ? t("1 object kept aside: the same UID came with other content") : t("{n} objects kept aside: the same UID came with other content", { n: study.conflicts }));
    if (!notes.length) return;
    const mark = make("span", "mark", notes.length === 1 ? t("1 note") : t("{n} notes", { n: notes.length }));
    mark.title = notes.map((note) => (typeof note === "string" ? note : (note.message ?? ""))).join("\n");
    cell.append(" ", mark);
  }

  #picture(study) {
    const face = make("span", "face");
    face.append(this.pictureIcon());
    if (!study.thumbnail) return face;
    const image = make("img");
    image.alt = "";
    image.loading = "lazy";
    image.decoding = "async";
    image.src = study.thumbnail;
    image.addEventListener("load", () => face.replaceChildren(image), { once: true });
    // A lazy picture loads only where it stands in the page; the icon lies under it until then.
    face.append(image);
    return face;
  }

  #rove(row) {
    if (!row) return;
    for (const one of this.body.querySelectorAll("[tabindex='0']")) one.tabIndex = -1;
    for (const one of row.querySelectorAll("a, .acts > .menu > button")) one.tabIndex = 0;
  }

  #walk(event) {
    if (event.target.closest("[role=menu]")) return;
    const row = event.target.closest("tr");
    const rows = [...this.body.children];
    const at = rows.indexOf(row);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "m") row.querySelector(".acts button")?.click();
    if (to === undefined) return;
    event.preventDefault();
    if (to < 0) document.getElementById("q").focus();
    else rows[Math.min(to, rows.length - 1)]?.querySelector("a").focus();
  }

  /** The whole row opens its study; selecting text does not. */
  #click(event) {
    if (event.target.closest("a, .acts") || event.button !== 0 || String(getSelection())) return;
    const link = event.target.closest("tr")?.querySelector("a");
    if (!link) return;
    if (event.ctrlKey || event.metaKey) window.open(link.href);
    else link.click();
  }
}
