// Two dialogs: send a study to a peer; search another archive and fetch studies from it.

import { dialogOf, openForm } from "../dialog.js";
import { t } from "../i18n.js";
import { imagesIn, isoDate, personName, sexWord } from "../text.js";
import { rest } from "../viewer/features/rest.js";
import { make } from "../viewer/menu.js";
import { about, stateWord } from "./row.js";

/** Peers that can be called, of one organization where one is named. */
export async function peersOf(organization = "") {
  const { peers } = await rest("/api/peers/");
  return peers.filter((peer) => !organization || peer.organization === organization);
}

const nameOf = ({ ae_title, description }) => (description ? `${description} (${ae_title})` : ae_title);

/** Asks where to; resolves to the transfer, or to null. `study` is a row of /api/studies/. */
export async function sendDialog(study) {
  const peers = await peersOf(study.organization);
  const { who, what } = about({ study: { ...study, patient_name: study.patient.name, patient_id: study.patient.patient_id }, study_instance_uid: study.study_instance_uid });
  if (!peers.length) {
    const dialog = dialogOf({ title: t("Send to another archive"), className: "asking" });
    make("p", "", dialog).textContent = t("No other archive is known yet. An administrator adds DICOM peers.");
    const row = make("div", "row", dialog);
    const close = make("button", "primary", row, { type: "button" });
    close.textContent = t("Close");
    close.addEventListener("click", () => dialog.close());
    dialog.showModal();
    close.focus();
    return null;
  }
  const made = await openForm({
    title: t("Send to another archive"),
    lead: [who, what, imagesIn(study.number_of_instances)].filter(Boolean).join(" · "),
    fields: [{ name: "peer", kind: "select", label: t("Archive"), options: peers.map((peer) => [String(peer.id), nameOf(peer)]) }],
    go: t("Send"),
    send: ({ peer }) => rest("/api/transfers/", { method: "POST", body: { kind: "send", peer: Number(peer), study: study.study_instance_uid } }),
  });
  if (made) onItsWay(made.peer);
  return made;
}

function onItsWay(peer) {
  const dialog = dialogOf({ title: t("On its way"), className: "asking" });
  make("p", "", dialog).textContent = t("The study waits in the queue to {peer} and is tried again by itself.", { peer: nameOf(peer) });
  const row = make("div", "row", dialog);
  make("a", "button", row, { href: "/transfers/" }).textContent = t("Show transfers");
  const close = make("button", "primary", row, { type: "button" });
  close.textContent = t("Close");
  close.addEventListener("click", () => dialog.close());
  dialog.showModal();
  close.focus();
}

/** Searches an archive and fetches what is chosen; resolves to how many were asked for when it closes. */
export async function fetchDialog() {
  const peers = (await peersOf()).sort((one, other) => Number(other.archive) - Number(one.archive));
  const dialog = dialogOf({ title: t("Fetch from an archive"), className: "fetching" });
  const form = make("form", "searching", dialog, { method: "dialog", novalidate: "", role: "search" });
  const archive = field(form, t("Archive"), make("select", "", null));
  for (const peer of peers) archive.append(new Option(nameOf(peer), String(peer.id)));
  const inputs = {
    patient_id: field(form, t("Patient ID"), text()),
    patient_name: field(form, t("Patient name"), text()),
    accession_number: field(form, t("Accession"), text()),
    date_from: field(form, t("From"), make("input", "", null, { type: "date" })),
    date_to: field(form, t("To"), make("input", "", null, { type: "date" })),
  };
  const row = make("div", "row", form);
  const go = make("button", "primary", row, { type: "submit" });
  go.textContent = t("Search");
  const away = make("button", "", row, { type: "button" });
  away.textContent = t("Close");
  away.addEventListener("click", () => dialog.close());
  const told = make("p", "quiet", dialog, { role: "status" });
  const list = make("ul", "found", dialog, { "aria-label": t("Studies found") });
  let count = 0;

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    go.disabled = true;
    list.replaceChildren();
    tell(t("The archive is asked…"));
    const body = Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, input.value.trim()]).filter(([, value]) => value));
    try {
      const { studies, more } = await rest(`/api/peers/${archive.value}/search/`, { method: "POST", body });
      tell(summary(studies.length, more));
      list.replaceChildren(...studies.map(line));
    } catch (problem) {
      tell(problem.message, true);
    }
    go.disabled = false;
  });

  function tell(words, wrong = false) {
    told.className = wrong ? "wrong" : "quiet";
    told.textContent = words;
  }

  function line(study) {
    const item = make("li", "", null);
    const text = make("div", "about", item);
    make("span", "who-is", text).textContent = personName(study.patient_name);
    make("span", "quiet", text).textContent = [study.patient_id, isoDate(study.patient_birth_date), sexWord(study.patient_sex)].filter(Boolean).join(" · ");
    const images = study.number_of_instances === null ? "" : imagesIn(study.number_of_instances);
    make("span", "", text).textContent = [isoDate(study.date), study.modalities.join(" "), study.description, study.accession_number, images].filter(Boolean).join(" · ");
    if (study.disagreements.length) make("span", "wrong", text).textContent = t("Somebody else? Under this Patient ID we know another: {what}", { what: study.disagreements.join(", ") });
    item.append(doing(study));
    return item;
  }

  function doing(study) {
    const moving = ["queued", "running", "failed"].includes(study.transfer);
    if (study.here || moving) return Object.assign(make("span", "quiet", null), { textContent: study.here ? t("is here") : stateWord(study.transfer) });
    const button = make("button", "", null, { type: "button", "aria-label": `${t("Fetch")}: ${personName(study.patient_name)}, ${isoDate(study.date)} ${study.description}` });
    button.textContent = t("Fetch");
    button.addEventListener("click", async () => {
      button.disabled = true;
      const shown = { patient_name: study.patient_name, patient_id: study.patient_id, date: study.date.slice(0, 8), description: study.description.slice(0, 200), modalities: study.modalities };
      try {
        await rest("/api/transfers/", { method: "POST", body: { kind: "retrieve", peer: Number(archive.value), study: study.study_instance_uid, shown } });
        count += 1;
        const said = Object.assign(make("span", "quiet", null, { tabindex: "-1" }), { textContent: stateWord("queued") });
        button.replaceWith(said);
        said.focus();
      } catch (problem) {
        tell(problem.message, true);
        button.disabled = false;
      }
    });
    return button;
  }

  dialog.showModal();
  inputs.patient_id.focus();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(count)));
}

function summary(count, more) {
  if (!count) return t("Nothing matches there.");
  const found = count === 1 ? t("1 study") : t("{n} studies", { n: count });
  return more ? t("{found}, and more: ask for less.", { found }) : found;
}

let number = 0;

function field(form, label, input) {
  number += 1;
  const box = make("div", "field", form);
  input.id = `transfer-field-${number}`;
  make("label", "", box, { for: input.id }).textContent = label;
  box.append(input);
  return input;
}

const text = () => make("input", "", null, { type: "text", autocomplete: "off", spellcheck: "false" });
