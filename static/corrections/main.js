// The page that puts a study right: what is wrong is chosen, a reason is typed, and what was done can be undone.

import { openForm } from "../dialog.js";
import { t } from "../i18n.js";
import { imagesIn, isoDate, personName } from "../text.js";
import { rest, studyDoor } from "../viewer/features/rest.js";
import { make } from "../viewer/menu.js";
import { finder, orderTold, patientTold, sideBySide, studyTold } from "./choosing.js";
import { changes, reasons, title } from "./words.js";

const at = (id) => document.getElementById(id);
const study = JSON.parse(at("study-data").textContent);
const { patient } = study;
const picked = new Set();

const REASON = () => ({ name: "reason", kind: "area", label: t("Why"), needed: true, most: 1000 });
const joined = (...words) => words.filter(Boolean).join(" · ");

// --- what is shown

function show() {
  at("patient-name").textContent = personName(patient.name);
  at("patient-facts").textContent = joined(patient.patient_id, patient.issuer, isoDate(patient.birth_date), patient.sex);
  at("warnings").hidden = !study.warnings.length;
  at("warnings").replaceChildren(...study.warnings.map((words) => Object.assign(make("li", ""), { textContent: words })));
  at("order-name").textContent = study.description || t("No description");
  at("order-facts").textContent = joined(study.accession_number, isoDate(study.date), study.referring_physician && personName(study.referring_physician));
  at("series").replaceChildren(...study.series.map(card));
  at("no-series").hidden = study.series.length > 0;
  at("history").replaceChildren(...study.corrections.map(line));
  at("no-history").hidden = study.corrections.length > 0;
  buttons("patient-acts", [
    [t("Wrong patient"), wrongPatient],
    [t("Correct name, birth date or sex"), person],
    [t("Merge patients"), mergePatients],
    [t("Link patients"), linkPatients],
  ]);
  buttons("order-acts", [[t("Wrong order"), wrongOrder]]);
  buttons("series-acts", [
    [t("Split off as a new study"), splitOff, () => picked.size > 0 && picked.size < study.series.length],
    [t("Move to another study"), moveSeries, () => picked.size > 0 && study.studies.length > 0],
    [t("Merge with another study"), mergeStudy, () => study.series.length > 0 && study.studies.length > 0],
    [t("Reject"), rejectSeries, () => picked.size > 0],
  ]);
}

const enabling = [];

function buttons(id, acts) {
  for (const [words, act, possible = () => study.series.length > 0] of acts) {
    const button = make("button", "", at(id), { type: "button" });
    button.textContent = words;
    button.addEventListener("click", act);
    enabling.push(() => (button.disabled = !possible()));
  }
  enabling.forEach((one) => one());
}

function card(series) {
  const item = make("li", "");
  const label = make("label", "", item);
  const box = make("input", "", label, { type: "checkbox", value: series.series_instance_uid });
  box.addEventListener("change", () => {
    if (box.checked) picked.add(series.series_instance_uid);
    else picked.delete(series.series_instance_uid);
    enabling.forEach((one) => one());
  });
  const face = make("span", "face", label);
  if (series.thumbnail) make("img", "", face, { src: series.thumbnail, alt: "", loading: "lazy" });
  const words = make("span", "words", label);
  make("strong", "", words, { dir: "auto" }).textContent = series.description || t("No description");
  const count = imagesIn(series.number_of_instances);
  make("span", "quiet", words).textContent = joined(series.modality, series.number === null ? "" : t("Series {n}", { n: series.number }), count);
  return item;
}

function line(act) {
  const item = make("li", act.undone_by ? "undone" : "");
  const what = make("div", "what", item);
  make("strong", "", what).textContent = title(act);
  for (const words of changes(act)) make("span", "", what, { dir: "auto" }).textContent = words;
  make("span", "", what, { dir: "auto" }).textContent = act.reason;
  const when = new Date(act.at).toLocaleString(document.documentElement.lang || undefined);
  make("span", "quiet", what).textContent = joined(when, act.actor, act.undone_by ? t("was undone") : "");
  if (!act.undone_by && !act.undoes) {
    const button = make("button", "", item, { type: "button" });
    button.textContent = t("Undo");
    button.setAttribute("aria-label", t("Undo: {what}", { what: title(act) }));
    button.addEventListener("click", () => takeBack(act));
  }
  return item;
}

// --- what is done

const door = (tail = "") => studyDoor(study, `corrections/${tail}`);

async function send(act, said) {
  const done = await rest(door(), { method: "POST", body: { act, seen: study.seen, ...said } });
  const here = new URL(location.href);
  here.searchParams.set("organization", study.organization);
  location.replace(here);
  return done;
}

const ask = (kind) => async (words) => (await rest(`${door("choices/")}&${new URLSearchParams({ q: words })}`))[kind];

/** One of what is found, and why. */
function choosing({ name, heading, lead = "", go, find, missing, said, act, danger = false }) {
  const found = finder(find);
  return openForm({
    name,
    title: heading,
    lead,
    more: found.element,
    fields: [REASON()],
    go,
    danger,
    send: (values) => {
      if (!found.chosen()) throw new Error(missing);
      return send(act, { ...values, ...said(found.chosen()) });
    },
  });
}

const patients = () => ({
  label: t("Search a patient by name or ID"),
  ask: ask("patients"),
  told: patientTold,
  none: t("Type a name or an ID."),
  beside: (other) => sideBySide(patient, other),
});
const ofPatient = ({ patient_id, issuer }) => ({ patient_id, issuer });
const CHOOSE_PATIENT = () => t("Choose a patient first.");

function wrongPatient() {
  return choosing({
    name: "patient",
    heading: t("Whose images are these?"),
    go: t("Give them to this patient"),
    find: patients(),
    missing: CHOOSE_PATIENT(),
    said: ofPatient,
    act: "patient",
    danger: true,
  });
}

function mergePatients() {
  return choosing({
    name: "merge_patient",
    heading: t("Merge patients"),
    lead: t("All studies of {name} become those of the patient that you choose, also those that come later.", { name: personName(patient.name) }),
    go: t("Merge"),
    find: patients(),
    missing: CHOOSE_PATIENT(),
    said: ofPatient,
    act: "merge_patient",
    danger: true,
  });
}

function linkPatients() {
  return choosing({
    name: "link_patient",
    heading: t("Link patients"),
    lead: t("The same person under another ID: earlier studies are found, nothing else changes."),
    go: t("Link"),
    find: patients(),
    missing: CHOOSE_PATIENT(),
    said: ofPatient,
    act: "link_patient",
  });
}

function person() {
  return openForm({
    name: "person",
    title: t("Correct name, birth date or sex"),
    lead: t("Of all studies of this patient that say the same."),
    fields: [
      { name: "name", kind: "text", label: t("Name: family^given"), value: patient.name, needed: true, most: 400 },
      { name: "birth_date", kind: "date", label: t("Birth date"), value: isoDate(patient.birth_date) },
      { name: "sex", kind: "select", label: t("Sex"), value: patient.sex, options: ["", "F", "M", "O"].map((one) => [one, one || "–"]) },
      REASON(),
    ],
    go: t("Correct"),
    send: (values) => send("person", { ...values, birth_date: values.birth_date.replaceAll("-", "") }),
  });
}

function wrongOrder() {
  let words = "";
  return choosing({
    name: "order",
    heading: t("Which order were they made for?"),
    go: t("Give them to this order"),
    find: {
      label: t("Search open orders"),
      ask: (typed) => {
        words = typed;
        return ask("orders")(typed);
      },
      told: orderTold,
      none: t("No open order of this patient. Type a number, a name or an examination."),
    },
    missing: t("Choose an order first."),
    said: (order) => ({ order: order.identifier, q: words }),
    act: "order",
  });
}

const series = () => ({ series: [...picked] });

function splitOff() {
  return openForm({
    name: "split",
    title: t("Split off as a new study"),
    lead: t("The chosen series make a new study of the same patient."),
    fields: [REASON()],
    go: t("Split off"),
    send: (values) => send("split", { ...values, ...series() }),
  });
}

function moveSeries() {
  return choosing({
    name: "move",
    heading: t("Move to another study"),
    go: t("Move"),
    find: { label: t("Other studies of this patient"), ask: async () => study.studies, told: studyTold, none: "", typing: false },
    missing: t("Choose a study first."),
    said: ({ study_instance_uid }) => ({ target: study_instance_uid, ...series() }),
    act: "move",
  });
}

function mergeStudy() {
  return choosing({
    name: "merge",
    heading: t("Merge with another study"),
    lead: t("All series of this study go to the one that you choose. This one is listed no more, and what comes for it later follows."),
    go: t("Merge"),
    find: { label: t("Other studies of this patient"), ask: async () => study.studies, told: studyTold, none: "", typing: false },
    missing: t("Choose a study first."),
    said: ({ study_instance_uid }) => ({ target: study_instance_uid }),
    act: "merge",
    danger: true,
  });
}

function rejectSeries() {
  return openForm({
    name: "reject",
    title: t("Reject"),
    lead: t("The chosen series are given out nowhere any more. They stay stored, and this can be undone."),
    fields: [{ name: "code", kind: "choice", label: t("Because of"), value: "113001", options: reasons() }, REASON()],
    go: t("Reject"),
    danger: true,
    send: (values) => send("reject", { ...values, ...series() }),
  });
}

function takeBack(act) {
  return openForm({
    name: `undo-${act.id}`,
    title: t("Undo: {what}", { what: title(act) }),
    fields: [REASON()],
    go: t("Undo"),
    send: async (values) => {
      await rest(door(`${act.id}/undo/`), { method: "POST", body: values });
      location.reload();
    },
  });
}

show();
