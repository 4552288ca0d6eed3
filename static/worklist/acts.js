// What can be done with a reading item: by key, by its menu, each asking only what the server needs to know.

import { correctAddress, mayCorrect } from "../corrections/way.js";
import { openForm } from "../dialog.js";
import { t } from "../i18n.js";
import { personName } from "../text.js";
import { rest } from "../viewer/features/rest.js";
import { make } from "../viewer/menu.js";
import { CLASSES } from "./search.js";
import { HOLDS } from "./table.js";

const TOKEN = "farview-claim";

/** This window's own name for what it has claimed. */
export function token() {
  let found = sessionStorage.getItem(TOKEN);
  if (!found) sessionStorage.setItem(TOKEN, (found = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`));
  return found;
}

const door = (item, act) => `/api/worklist/${item.id}/${act}/`;
const post = (item, act, body) => rest(door(item, act), { method: "POST", body });

const about = (item) => [personName(item.patient.name), item.patient.id, item.study?.description || item.order?.procedure_text, item.accession_number].filter(Boolean).join(" · ");

const reason = () => ({ name: "reason", label: t("Reason"), kind: "area", needed: true });
const note = () => ({ name: "note", label: t("Note"), kind: "area" });

/** The viewer page of an item, with its report. */
export const addressOf = (item) => item.address ?? `/studies/${encodeURIComponent(item.study.study_instance_uid)}/?${new URLSearchParams({ organization: item.organization, report: "1" })}`;

/** Claims an item and goes to its images. Somebody else's is asked for with a reason. */
export async function read(item) {
  if (!item.study) throw new Error(t("There are no images of this examination yet."));
  if (item.may.includes("take")) {
    if (!(await take(item))) return null;
  } else if (item.may.includes("claim")) await post(item, "claim", { token: token() });
  location.assign(addressOf(item));
  return undefined;
}

const take = (item) =>
  openForm({
    title: t("Take over from {name}", { name: (item.claimed_by ?? item.assigned_to).name }),
    lead: about(item),
    fields: [reason()],
    go: t("Take over and read"),
    send: (values) => post(item, "claim", { ...values, token: token() }),
  });

/** Whose study can be put right by whoever looks at it. */
const studyOf = ({ study, organization }) => ({ study_instance_uid: study?.study_instance_uid, organization });
const puttingRight = (item) => Boolean(item.study) && mayCorrect(studyOf(item));

function toCorrection(item) {
  location.assign(correctAddress(studyOf(item)));
  return null;
}

/** [act, words, icon, key, run(item), may(item)]; `run` resolves to null when nothing was done, without `may` the server says who
 *  may. */
export const ACTS = [
  ["claim", t("Read"), "file-text", "Enter", (item) => read(item)],
  ["take", t("Take over and read"), "file-text", "", (item) => read(item)],
  ["release", t("Release"), "undo-2", "r", (item) => post(item, "release", { token: token() })],
  ["put-aside", t("Put aside"), "archive", "p", (item) => openForm({ title: t("Put aside"), lead: about(item), fields: [note()], go: t("Put aside"), send: (values) => post(item, "put-aside", { ...values, token: token() }) })],
  ["ready", t("Mark ready to be read"), "circle-check", "y", (item) => post(item, "ready", {})],
  ["hold", t("Hold back"), "circle-pause", "h", (item) => openForm({ title: t("Hold back"), lead: about(item), fields: [{ name: "reason", label: t("What is wrong"), kind: "select", options: Object.entries(HOLDS) }, note()], go: t("Hold back"), more: puttingRight(item) ? wayOut(item) : null, send: (values) => post(item, "hold", values) })],
  ["class", t("Change class"), "siren", "c", (item) => openForm({ title: t("Change class"), lead: about(item), fields: [{ name: "reading_class", label: t("Class"), kind: "select", options: CLASSES.map((one) => [one, one]), value: item.reading_class }], go: t("Change"), send: (values) => post(item, "class", values) })],
  ["correct", t("Correct the order"), "pencil", "o", (item) => openForm({ title: t("Correct the order"), lead: about(item), fields: orderFields(item.order ?? {}), go: t("Correct"), send: (values) => post(item, "correct", values) })],
  ["correct-study", t("Correct the study"), "wrench", "", toCorrection, puttingRight],
  ["link", t("Link to another study"), "link", "", (item) => openForm({ title: t("Link to another study"), lead: about(item), fields: [{ name: "study", label: t("Study Instance UID"), kind: "text", needed: true }, { ...reason(), needed: false, hint: t("Needed where the patients disagree") }], go: t("Link"), send: (values) => post(item, "link", values) })],
  ["assign", t("Assign"), "users", "a", (item) => assign(item)],
  ["free", t("Free it from whoever holds it"), "lock-open", "", (item) => openForm({ title: t("Free it from {name}", { name: item.claimed_by?.name ?? "" }), lead: about(item), fields: [reason()], go: t("Free"), send: (values) => post(item, "free", values) })],
  ["cancel", t("Cancel the examination"), "x", "", (item) => openForm({ title: t("Cancel the examination"), lead: about(item), fields: [reason()], go: t("Cancel the examination"), danger: true, send: (values) => post(item, "cancel", values) })],
];

/** Beside holding it back: whoever may put it right at once. */
function wayOut(item) {
  const words = make("p", "", null);
  make("a", "", words, { href: correctAddress(studyOf(item)) }).textContent = t("Wrong patient, order or series? Correct the study.");
  return words;
}

export const possible = (item) => ACTS.filter(([name, , , , , may]) => (may ? may(item) : item.may.includes(name)));

async function assign(item) {
  const { readers } = await rest(`/api/worklist/readers/?${new URLSearchParams({ organization: item.organization })}`);
  const options = [["", t("nobody in particular")], ...readers.map(({ name, full_name: whole, assigned }) => [name, t("{name} ({n} assigned)", { name: whole || name, n: assigned })])];
  return openForm({ title: t("Assign"), lead: about(item), fields: [{ name: "to", label: t("To whom"), kind: "select", options }], go: t("Assign"), send: (values) => post(item, "assign", values) });
}

const SIDES = () => [["", "–"], ["L", t("left")], ["R", t("right")], ["B", t("both sides")]];

function orderFields(order) {
  return [
    { name: "laterality", label: t("Side"), kind: "select", options: SIDES(), value: order.laterality ?? "" },
    { name: "procedure_text", label: t("Examination"), kind: "text", value: order.procedure_text ?? "" },
    { name: "body_part", label: t("Body part"), kind: "text", value: order.body_part ?? "" },
    { name: "reason", label: t("Clinical question"), kind: "area", value: order.reason ?? "" },
  ];
}

/** A new order; resolves to null when the person thinks better of it. */
export function newOrder(organizations) {
  return openForm({
    title: t("New order"),
    fields: [
      ...(organizations.length > 1 ? [{ name: "organization", label: t("Organization"), kind: "select", options: organizations }] : []),
      { name: "patient_id", label: t("Patient ID"), kind: "text", needed: true },
      { name: "patient_name", label: t("Patient name"), kind: "text", needed: true, hint: t("Family name^given name, as the images will say it") },
      { name: "birth_date", label: t("Date of birth"), kind: "date" },
      { name: "sex", label: t("Sex"), kind: "select", options: [["", "–"], ["F", t("female")], ["M", t("male")], ["O", t("other")]] },
      { name: "accession_number", label: t("Accession"), kind: "text", needed: true, hint: t("The number by which the images will find this order") },
      { name: "modality", label: t("Modality"), kind: "text" },
      { name: "procedure_text", label: t("Examination"), kind: "text", needed: true },
      { name: "body_part", label: t("Body part"), kind: "text" },
      { name: "laterality", label: t("Side"), kind: "select", options: SIDES() },
      { name: "reading_class", label: t("Class"), kind: "select", options: CLASSES.map((one) => [one, one]), value: "ROUTINE" },
      { name: "referring_physician", label: t("Referring physician"), kind: "text", hint: t("Family name^given name") },
      { name: "referring_identifier", label: t("Number of the referring physician"), kind: "text" },
      { name: "reason", label: t("Clinical question"), kind: "area" },
    ],
    go: t("Place the order"),
    send: ({ patient_id, patient_name: name, birth_date: born, sex, ...values }) =>
      rest("/api/orders/", { method: "POST", body: { ...values, patient: { patient_id, name, birth_date: born.replaceAll("-", ""), sex } } }),
  });
}
