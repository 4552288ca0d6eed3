// The page on which a study is opened in an emergency: exact numbers and a reason, or it says what is missing.

import { t } from "../i18n.js";
import { rest } from "../viewer/features/rest.js";
import { make } from "../viewer/menu.js";

const at = (id) => document.getElementById(id);
const form = at("emergency");
const NUMBERS = ["accession_number", "patient_id", "study_instance_uid"];

form.addEventListener("submit", (event) => {
  event.preventDefault();
  open(Object.fromEntries([...NUMBERS, "reason"].map((name) => [name, at(name).value.trim()])));
});

async function open(asked) {
  const missing = lacks(asked);
  if (missing) return refuse(missing.words, missing.name);
  const button = form.querySelector("button[type=submit]");
  button.disabled = true;
  try {
    const opened = await rest("/api/emergency/", { method: "POST", body: asked });
    location.assign(opened.address);
  } catch (problem) {
    button.disabled = false;
    if (problem.status === 409) choose(problem.body.studies, asked);
    else refuse(WORDS[problem.status] ?? problem.message, "reason");
  }
  return undefined;
}

function lacks(asked) {
  const named = asked.study_instance_uid || (asked.accession_number && asked.patient_id);
  if (!named) return { name: "accession_number", words: t("Give the accession number and the Patient ID, or the Study Instance UID.") };
  if (asked.reason.length < Number(at("reason").dataset.least)) return { name: "reason", words: t("Say why, in a few words.") };
  return null;
}

const WORDS = {
  404: t("No study has exactly these numbers, or not in your organizations."),
  429: t("Too many numbers that were none. Come again in an hour, or ask an administrator."),
};

function refuse(words, name) {
  at("choices").hidden = true;
  at("refusal").textContent = words;
  at(name).focus();
}

/** The numbers name several studies: a button for each. */
function choose(studies, asked) {
  at("refusal").textContent = t("These numbers name several studies. Open the one that you need.");
  const list = at("choices");
  list.replaceChildren();
  for (const study of studies) {
    const button = make("button", "danger", make("li", "", list), { type: "button" });
    button.textContent = [study.date, study.modalities.replaceAll("\\", ", "), study.organization].filter(Boolean).join(" · ");
    button.addEventListener("click", () => open({ ...asked, study_instance_uid: study.study_instance_uid, organization: study.organization }));
  }
  list.hidden = false;
  list.querySelector("button")?.focus();
}
