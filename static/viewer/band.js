// The band on top: whose pictures these are, of which study, and the other studies of this patient.

import { t, told } from "../i18n.js";
import { age, ageOn, clockTime, isoDate, personName, sexWord } from "../text.js";

const at = (id) => document.getElementById(id);

/** Patient, study and notes of a study's JSON, in their places. */
export function showBand(study) {
  const patient = study.patient ?? {};
  at("patient-name").textContent = personName(patient.name);
  at("patient-facts").textContent = facts(study);
  document.title = `${personName(patient.name)} · ${study.description || t("Study")} · Farview`;
  picker(study);
  notes(study);
}

function facts({ patient = {}, patient_age, date }) {
  return [
    sexWord(patient.sex),
    age(patient_age) || ageOn(patient.birth_date, date),
    patient.birth_date && t("born {date}", { date: isoDate(patient.birth_date) }),
    patient.patient_id ? `ID ${patient.patient_id}` : t("no patient ID"),
  ].filter(Boolean).join(" · ");
}

function studyLine({ date, time, description = "", modalities = [] }) {
  const kind = modalities.length && !description.toUpperCase().startsWith(modalities[0]) ? modalities.join("/") : "";
  return [isoDate(date) || t("no date"), clockTime(time).slice(0, 5), kind, description].filter(Boolean).join("  ");
}

function picker(study) {
  const select = at("study-picker");
  const { priors = [], not_priors: others = [] } = study;
  const option = (label, { study_instance_uid }) => new Option(label, study_instance_uid);
  select.replaceChildren(
    new Option(studyLine(study), "", true, true),
    ...priors.map((one) => option(one.earlier ? t("Prior: {study}", { study: studyLine(one) }) : studyLine(one), one)),
    ...others.map((one) => option(t("Not taken as prior: {study}", { study: studyLine(one) }), one)),
  );
  select.disabled = !priors.length && !others.length;
  select.title = select.disabled ? t("No other studies of this patient") : t("Studies of this patient");
  select.onchange = () => {
    if (select.value) location.assign(`/studies/${select.value}/?organization=${encodeURIComponent(study.organization)}`);
  };
}

function notes({ warnings = [], kept_aside = [] }) {
  const texts = warnings.map((warning) => told(typeof warning === "string" ? warning : (warning.message ?? "")));
  const reasons = new Map();
  for (const { reason } of kept_aside) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  for (const [reason, times] of reasons) {
    const why = told(reason);
    texts.push(times === 1 ? t("Kept aside, not shown: 1 object: {reason}", { reason: why }) : t("Kept aside, not shown: {n} objects: {reason}", { n: times, reason: why }));
  }
  at("study-notes").hidden = !texts.length;
  at("study-notes-list").replaceChildren(...texts.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
}
