// The rows of the worklist. A row keeps its element and, while somebody works in the list, its place.

import { t } from "../i18n.js";
import { ageOn, imagesIn, isoDate, personName, sexWord } from "../text.js";
import { make, Menu } from "../viewer/menu.js";
import { clockOf } from "./clock.js";

/** [name, heading] of each column. */
export const COLUMNS = [
  ["class", t("Class")],
  ["clock", t("Clock")],
  ["patient", t("Patient")],
  ["exam", t("Examination")],
  ["reason", t("Question")],
  ["accession", t("Accession")],
  ["organization", t("Organization")],
  ["state", t("State")],
  ["score", t("Score")],
  ["acts", ""],
];

export const STATES = {
  scheduled: t("Scheduled"),
  arriving: t("Arriving"),
  ready: t("Ready"),
  assigned: t("Assigned"),
  claimed: t("Being read"),
  put_aside: t("Put aside"),
  preliminary: t("Preliminary"),
  pending_cosign: t("Waits for co-sign"),
  final: t("Final"),
  delivered: t("Delivered"),
  hold: t("On hold"),
  cancelled: t("Cancelled"),
};

/** Of an examination that two radiologists read apart: what comes next, by how many reads are complete. */
const READS = [t("first of two reads"), t("second of two reads"), t("report of two reads")];

export const HOLDS = {
  series_missing: t("series missing"),
  wrong_side: t("wrong side"),
  wrong_patient: t("wrong patient"),
  other: t("other reason"),
};

export class Table {
  /** @param body the tbody @param open called with an item @param fill called with an item and the menu to be filled for it */
  constructor(body, { icon, open, fill }) {
    this.body = body;
    this.icon = icon;
    this.hands = { open, fill };
    this.items = new Map();
    this.skew = 0;
    body.addEventListener("keydown", (event) => this.#walk(event));
    body.addEventListener("focusin", (event) => this.#rove(event.target.closest("tr")));
    body.addEventListener("dblclick", (event) => this.#pick(event));
  }

  /** Shows these items. With `stay`, those that are there keep their places and new ones come last, marked. Returns whether
   *  the order shown is another than the one given. */
  set(items, { stay = false } = {}) {
    const before = this.items;
    const held = this.focused?.id;
    const hand = document.activeElement;
    const open = this.body.querySelector("tr:has([aria-haspopup][aria-expanded='true'])");
    this.items = new Map(items.map((item) => [item.id, item]));
    const order = stay ? [...before.keys()].filter((id) => this.items.has(id)) : [];
    for (const { id } of items) if (!order.includes(id)) order.push(id);
    const rows = order.map((id) => (open?.dataset.id === String(id) ? open : this.#row(this.items.get(id), stay && !before.has(id))));
    this.body.replaceChildren(...rows);
    this.tick();
    const back = rows.find((row) => row.dataset.id === String(held));
    if (back?.contains(hand)) hand.focus({ preventScroll: true });
    else if (back) back.querySelector(".patient button").focus({ preventScroll: true });
    else this.#rove(rows[0]);
    return order.some((id, at) => id !== items[at].id);
  }

  get focused() {
    const row = document.activeElement?.closest?.("tr[data-id]");
    return row && this.body.contains(row) ? this.items.get(Number(row.dataset.id)) : null;
  }

  /** The item in hand: the focused one, else the first. */
  get current() {
    return this.focused ?? this.items.get(Number(this.body.firstElementChild?.dataset.id)) ?? null;
  }

  focusFirst() {
    this.body.querySelector(".patient button")?.focus();
  }

  focusOn(id) {
    this.body.querySelector(`tr[data-id="${id}"] .patient button`)?.focus();
  }

  /** Moves every clock on; `skew` is how far this machine's clock is behind the server's. */
  tick() {
    const now = Date.now() + this.skew;
    for (const row of this.body.children) {
      const item = this.items.get(Number(row.dataset.id));
      const cell = row.querySelector(".clock span");
      const { text, state } = clockOf(item?.due_at, item?.target_minutes ?? 0, now);
      cell.textContent = text;
      cell.dataset.state = state;
      cell.title = state === "late" ? t("over its target of {n} minutes", { n: item.target_minutes }) : state === "none" ? "" : t("left of {n} minutes", { n: item.target_minutes });
    }
  }

  #row(item, fresh) {
    const row = make("tr", "", null, { "data-id": item.id, "data-class": item.reading_class, "data-status": item.status });
    if (fresh) row.dataset.marked = "yes";
    for (const [name, heading] of COLUMNS) {
      const cell = make(name === "patient" ? "th" : "td", name, row, heading ? { "data-label": heading } : {});
      if (name === "patient") cell.scope = "row";
      this[`_${name}`](cell, item);
    }
    return row;
  }

  _class(cell, item) {
    make("span", "class-mark", cell, { "data-class": item.reading_class }).textContent = item.reading_class;
  }

  _clock(cell) {
    make("span", "", cell);
  }

  _patient(cell, item) {
    const { patient } = item;
    const button = make("button", "plain", cell, { type: "button", tabindex: "-1", dir: "auto" });
    button.textContent = personName(patient.name);
    button.addEventListener("click", () => this.hands.open(item));
    const years = ageOn(patient.birth_date, item.study?.date || new Date().toISOString().slice(0, 10).replaceAll("-", ""));
    make("span", "quiet", cell).textContent = [patient.id || t("no ID"), sexWord(patient.sex), years].filter(Boolean).join(" · ");
  }

  _exam(cell, item) {
    const words = item.order?.procedure_text || item.study?.description || item.order?.procedure_code || t("No description");
    make("span", "", cell, { dir: "auto" }).textContent = words;
    const { study } = item;
    const images = study ? imagesIn(study.number_of_instances) : t("no images yet");
    const modalities = (study?.modalities ?? [item.order?.modality]).filter(Boolean).join(" ");
    const side = { L: t("left"), R: t("right"), B: t("both sides") }[item.order?.laterality] ?? "";
    const twice = item.double_reading ? READS[Math.min(item.double_reading.complete, READS.length - 1)] : "";
    make("span", "quiet", cell).textContent = [twice, modalities, side, images, isoDate(study?.date)].filter(Boolean).join(" · ");
  }

  _reason(cell, item) {
    cell.textContent = item.order?.reason ?? "";
    cell.title = item.order?.reason ?? "";
    cell.dir = "auto";
  }

  _accession(cell, item) {
    cell.textContent = item.accession_number ?? "";
  }

  _organization(cell, item) {
    cell.textContent = item.organization;
  }

  _state(cell, item) {
    const mark = make("span", "state-mark", cell, { "data-status": item.status });
    mark.textContent = STATES[item.status] ?? item.status;
    if (item.critical) make("span", "state-mark critical", cell).textContent = t("critical");
    const holder = item.claimed_by ? (item.claimed_by.mine ? t("by you") : item.claimed_by.name) : item.assigned_to ? t("for {name}", { name: item.assigned_to.name ?? item.assigned_to }) : "";
    const held = item.status === "hold" ? (HOLDS[item.held_reason] ?? item.held_reason) : "";
    const words = [holder, held, item.note].filter(Boolean).join(" · ");
    if (words) make("span", "quiet", cell, { title: words, dir: "auto" }).textContent = words;
  }

  _score(cell, item) {
    if (!item.why?.length) return;
    const why = item.why.map(({ words, points }) => `${words}: ${points}`).join("\n");
    const button = make("button", "plain score", cell, { type: "button", tabindex: "-1", title: why, "aria-label": t("Score {n}: {why}", { n: Math.round(item.score), why: why.replaceAll("\n", "; ") }) });
    button.textContent = String(Math.round(item.score));
    const told = make("ul", "why", cell);
    told.hidden = true;
    for (const { words, points } of item.why) make("li", "", told).textContent = `${words}: ${points}`;
    button.addEventListener("click", () => (told.hidden = !told.hidden));
  }

  _acts(cell, item) {
    const label = t("What can be done with {name}", { name: personName(item.patient.name) });
    const menu = new Menu(cell, { label, icon: this.icon("ellipsis-vertical"), name: "acts", className: "plain", fill: (list) => this.hands.fill(item, list) });
    menu.button.tabIndex = -1;
  }

  #rove(row) {
    if (!row) return;
    for (const one of this.body.querySelectorAll("button[tabindex='0']")) one.tabIndex = -1;
    for (const one of row.querySelectorAll("button:not(.choice)")) one.tabIndex = 0;
  }

  #walk(event) {
    const row = event.target.closest("tr");
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || !row) return;
    const rows = [...this.body.children];
    const at = rows.indexOf(row);
    const to = { ArrowDown: at + 1, j: at + 1, ArrowUp: at - 1, k: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    if (to < 0) document.getElementById("q").focus();
    else rows[Math.min(to, rows.length - 1)].querySelector(".patient button").focus();
  }

  #pick(event) {
    const row = event.target.closest("tr");
    if (row && !event.target.closest("button")) this.hands.open(this.items.get(Number(row.dataset.id)));
  }
}
