// The list of measurements beside the pictures: by series and image, with numbers, what says them, who drew them, and what they
// were in an earlier study.

import { t, told } from "../../../i18n.js";
import { isoDate } from "../../../text.js";
import { make } from "../../menu.js";
import { planeWords } from "../../space.js";
import { byWhom, numbers } from "./card.js";
import { kindIcon, kindLabel } from "./kinds.js";
import { changes, lines, sentence } from "./values.js";

/** "Image 34", "Coronal", ...: which picture of its series it was drawn on. */
function pictureWords(mark) {
  const { view = {} } = mark;
  const plane = planeWords(view);
  if (plane) return plane;
  const place = Number.isInteger(view.frame) ? t("Image {n}", { n: view.frame + 1 }) : t("Image");
  return mark.frame_number > 1 && !Number.isInteger(view.frame) ? `${place} ${mark.frame_number}` : place;
}

/** [{title, marks}] in the order of the study's series. */
export function grouped(marks, series) {
  const known = new Map(series.map((one) => [one.series_instance_uid, one]));
  const order = [...known.keys()];
  const groups = new Map();
  for (const mark of marks) {
    const uid = mark.series_instance_uid;
    if (!groups.has(uid)) groups.set(uid, { uid, series: known.get(uid), marks: [] });
    groups.get(uid).marks.push(mark);
  }
  const place = (uid) => (known.has(uid) ? order.indexOf(uid) : order.length);
  const at = ({ view }) => (Number.isInteger(view?.frame) ? view.frame : 1e6);
  return [...groups.values()]
    .sort((a, b) => place(a.uid) - place(b.uid))
    .map((group) => ({ ...group, marks: [...group.marks].sort((a, b) => at(a) - at(b)) }));
}

const titleOf = (series) => [series?.number ?? "", series?.modality, series?.description].filter((part) => part !== "" && part).join(" ") || t("Series");

export class Panel {
  /** @param page {store, study(), icon, go(mark), select(uid), selected(), retry, discard, rename(uid, text), remove(uid),
   *  carryOn(prior), carrying(), unsettled(), giveUp(uid), fold()} */
  constructor(page) {
    this.page = page;
  }

  /** Draws the list, unless a label is being written in it. */
  fill(element) {
    this.element = element;
    if (element.contains(document.activeElement) && document.activeElement.matches("input")) {
      document.activeElement.addEventListener("blur", () => this.fill(element), { once: true });
      return;
    }
    const had = element.contains(document.activeElement) ? document.activeElement.dataset.go : null;
    element.classList.add("measures");
    element.replaceChildren();
    make("h2", "", element).textContent = t("Measurements");
    const fold = make("button", "plain fold", element, { type: "button", "aria-label": t("Close the list"), title: t("Close the list") });
    fold.append(this.page.icon("x"));
    fold.addEventListener("click", () => this.page.fold());
    const study = this.page.study();
    const known = this.page.store.known(study.study_instance_uid);
    const marks = this.page.store.list(study.study_instance_uid);
    this.#state(element, known, marks);
    for (const { series, marks: some } of grouped(marks, study.series ?? [])) {
      make("h3", "", element).textContent = titleOf(series);
      const list = make("ul", "", element);
      for (const mark of some) this.#row(list, mark);
    }
    for (const { reason } of known.unread ?? []) make("p", "hint", element).textContent = t("Measurements of a report are not shown: {reason}", { reason: told(reason) });
    this.#earlier(element, known.earlier ?? [], marks);
    if (had) element.querySelector(`[data-go="${CSS.escape(had)}"]`)?.focus();
  }

  #state(element, { loaded, trouble }, marks) {
    const say = (text, name = "hint") => (make("p", name, element).textContent = text);
    const carried = this.page.carrying();
    if (carried) say(t("Draw it again on this study: {what}", { what: [carried.label || kindLabel(carried.kind), sentence(carried)].filter(Boolean).join(", ") }));
    const waiting = this.page.unsettled();
    if (waiting.length) {
      say(t("{n} drawn on a preview: kept as soon as the exact picture is there", { n: waiting.length }));
      const list = make("ul", "", element);
      for (const one of waiting) this.#waiting(list, one);
    }
    if (trouble) say(trouble.message, "trouble");
    else if (!loaded && !marks.length) say(t("Fetching…"));
    else if (!marks.length) say(t("Nothing is measured in this study yet. Take a tool from the Measure menu, or press D, and drag on a picture. What you draw is kept at once."));
  }

  /** What waits may lie on a picture that is not in sight. */
  #waiting(list, { uid, draft, values }) {
    const row = make("li", "marked is-waiting", list, { "data-waits": uid });
    make("p", "by", row).textContent = [kindLabel(draft.kind), pictureWords(draft), sentence({ ...draft, values })].filter(Boolean).join(", ");
    const acts = make("div", "acts", row);
    this.#act(acts, t("Go there"), () => this.page.go({ ...draft, uid: null }));
    this.#act(acts, t("Give it up"), () => this.page.giveUp(uid));
  }

  #row(list, mark) {
    const row = make("li", `marked is-${mark.state}`, list, { "aria-current": String(mark.uid === this.page.selected()), "data-uid": mark.uid });
    const go = make("button", "go", row, { type: "button", "data-go": mark.uid, title: t("Go there") });
    const [first = "", ...more] = lines({ ...mark, label: "" });
    make("strong", "", go).textContent = first || mark.label || kindLabel(mark.kind);
    if (more.length) make("span", "", go).textContent = more.join(", ");
    make("span", "by", go).textContent = [kindLabel(mark.kind), pictureWords(mark)].join(", ");
    go.addEventListener("click", () => this.page.go(mark));
    go.addEventListener("keydown", (event) => {
      if (!["Delete", "Backspace"].includes(event.key)) return;
      event.preventDefault();
      event.stopPropagation();
      this.page.remove(mark.uid);
    });
    if (mark.source === "sr") {
      if (mark.label) make("p", "", row).textContent = mark.label;
    } else this.#label(row, mark);
    this.#earlierValue(row, mark);
    this.#trouble(row, mark);
    const details = make("details", "", row);
    make("summary", "", details).textContent = [byWhom(mark), t("sources")].filter(Boolean).join(" · ");
    numbers(mark.values, details);
    for (const note of mark.notes ?? []) make("p", "hint", details).textContent = told(note);
    if (mark.uid === this.page.selected()) details.open = true;
  }

  #label(row, mark) {
    const input = make("input", "label", row, { type: "text", maxlength: "200", placeholder: t("Name it"), "aria-label": t("Name of this measurement"), autocomplete: "off" });
    input.value = mark.label ?? "";
    const keep = () => input.value.trim() !== (mark.label ?? "") && this.page.rename(mark.uid, input.value.trim());
    input.addEventListener("change", keep);
    input.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape") input.value = mark.label ?? "";
      if (["Enter", "Escape"].includes(event.key)) input.blur();
    });
  }

  #earlierValue(row, { previous }) {
    if (!previous) return;
    const box = make("div", "earlier", row);
    const date = isoDate(previous.date);
    const values = lines({ kind: previous.values?.long ? "bidirectional" : "", values: previous.values }).join(", ");
    make("p", "", box).textContent = t("{date}: {values}", { date: date || t("Earlier"), values });
    for (const { label, text } of changes(previous)) make("p", "", box).textContent = `${label} ${text}`;
  }

  #trouble(row, mark) {
    if (!["failed", "waiting"].includes(mark.state)) return;
    const text = mark.state === "failed" ? t("Not saved: {reason} It is kept in this browser.", { reason: mark.problem }) : t("Not saved yet: {reason} It is sent again by itself.", { reason: mark.problem });
    make("p", "trouble", row, { role: "status" }).textContent = text;
    const acts = make("div", "acts", row);
    this.#act(acts, t("Try again"), () => this.page.retry(mark.uid));
    if (mark.state === "failed") this.#act(acts, t("Give it up"), () => this.page.discard(mark.uid));
  }

  #act(parent, label, run) {
    const button = make("button", "", parent, { type: "button" });
    button.textContent = label;
    button.addEventListener("click", run);
  }

  /** Measurements of earlier studies that nothing of this one carries on yet. */
  #earlier(element, priors, marks) {
    const followed = new Set(marks.map(({ follows }) => follows).filter(Boolean));
    for (const prior of priors) {
      const open = prior.measurements.filter(({ uid, kind }) => !followed.has(uid) && !["text", "arrow", "calibration"].includes(kind));
      if (!open.length) continue;
      make("h3", "", element).textContent = t("Earlier: {date} {what}", { date: isoDate(prior.date), what: prior.description });
      const list = make("ul", "", element);
      for (const mark of open) {
        const row = make("li", "marked", list, { "data-prior": mark.uid });
        make("strong", "", row).textContent = [mark.label, sentence(mark)].filter(Boolean).join(": ");
        make("p", "by", row).textContent = [kindLabel(mark.kind), pictureWords(mark)].join(", ");
        const acts = make("div", "acts", row);
        this.#act(acts, t("Carry on"), () => this.page.carryOn({ ...mark, study_instance_uid: prior.study_instance_uid }));
        this.#act(acts, t("Go there"), () => this.page.go({ ...mark, study_instance_uid: prior.study_instance_uid }));
        acts.firstChild.prepend(this.page.icon(kindIcon(mark.kind)));
      }
    }
  }
}
