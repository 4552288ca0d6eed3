// What was corrected, in words. Imports only words.

import { t } from "../i18n.js";
import { isoDate, personName } from "../text.js";

const NAMES = {
  PatientName: () => t("Name"),
  PatientID: () => t("Patient ID"),
  IssuerOfPatientID: () => t("Issuer of the ID"),
  PatientBirthDate: () => t("Birth date"),
  PatientSex: () => t("Sex"),
  AccessionNumber: () => t("Accession"),
  StudyDescription: () => t("Description"),
  ReferringPhysicianName: () => t("Referring physician"),
  StudyID: () => t("Study ID"),
  StudyDate: () => t("Study date"),
  StudyTime: () => t("Study time"),
};
const SHOWN = { PatientName: personName, ReferringPhysicianName: personName, PatientBirthDate: isoDate, StudyDate: isoDate };

const KINDS = {
  patient_updated: () => t("Patient corrected"),
  patients_merged: () => t("Patients merged"),
  patients_linked: () => t("Patients linked"),
  study_of_another_patient: () => t("Given to another patient"),
  study_of_another_order: () => t("Given to another order"),
  series_moved: ({ series }) => (series.length === 1 ? t("1 series moved to another study") : t("{n} series moved to another study", { n: series.length })),
  rejected: ({ instances }) => (instances === 1 ? t("1 object rejected") : t("{n} objects rejected", { n: instances })),
};
const CODES = {
  113001: () => t("Poor quality"),
  113037: () => t("Patient safety: wrong patient, wrong side"),
  113038: () => t("Wrong line of the worklist"),
  113039: () => t("Kept long enough"),
};

/** The reasons that a rejection gives: [[code, words], ...]. */
export const reasons = () => Object.entries(CODES).map(([code, words]) => [code, words()]);

/** What an act did: "Given to another patient". */
export function title(act) {
  const words = KINDS[act.kind]?.(act) ?? act.kind;
  return act.undoes ? t("Undone: {what}", { what: words }) : words;
}

/** What it changed: ["Name: Doe, Jane → Roe, Jane", ...]. */
export function changes({ before, after, kind }) {
  if (kind === "rejected") return [CODES[after.code ?? before.code]?.() ?? ""].filter(Boolean);
  return Object.keys(NAMES)
    .filter((name) => name in after && before[name] !== after[name])
    .map((name) => `${NAMES[name]()}: ${value(name, before[name])} → ${value(name, after[name])}`);
}

function value(name, text) {
  return text ? (SHOWN[name]?.(text) ?? text) : "–";
}
