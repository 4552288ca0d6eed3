// A report on its own page, or in a window beside the pictures on a second screen.

import { t } from "../i18n.js";
import { listenToNews } from "../news.js";
import { showBand } from "../viewer/band.js";
import { Bridge } from "./bridge.js";
import { Desk } from "./desk.js";
import { watchPatients } from "./patientband.js";
import { addressOf, patientKey } from "./views.js";

const page = document.body.dataset;
const at = (id) => document.getElementById(id);
const study = JSON.parse(at("study-data").textContent);
const names = { study_instance_uid: study.study_instance_uid, organization: study.organization };
const report = Number(page.report);

/** A copy of one of the page's icons. */
function icon(name) {
  const found = at("icons").content.querySelector(`[data-icon="${name}"] svg`);
  return found ? found.cloneNode(true) : document.createElement("span");
}

function say(text) {
  at("spoken").textContent = "";
  setTimeout(() => (at("spoken").textContent = text), 50);
  at("said").textContent = text;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => (at("said").textContent = ""), 4000);
}

showBand({ ...study, priors: [], not_priors: [] });
document.title = `${t("Report")} · ${document.title}`;
watchPatients(document.querySelector(".band"), patientKey(study));

const bridge = new Bridge(study.study_instance_uid);

/** In a viewer window that has the study open; without one in a new one. */
async function show(item) {
  if (await bridge.ask("show", "shown", { item })) return true;
  return Boolean(open(addressOf(names, item), `farview-viewer-${names.study_instance_uid}`));
}

const desk = new Desk(at("desk"), {
  study: names,
  report,
  context: ({ context }) => ({ study: names.study_instance_uid, patient_id: study.patient?.patient_id ?? "", accession_number: study.accession_number || context.accession_number }),
  patientLine: () => [at("patient-name").textContent, at("patient-facts").textContent].filter(Boolean).join(" · "),
  icon,
  say,
  show,
  pictures: null,
  ownWindow: null,
  signIn: page.signIn,
});

bridge.on("who", ({ nonce, from }) => desk.state === "writing" && bridge.send("writing", { nonce, to: from, report, busy: true }));
bridge.on("insert", ({ command }) => desk.run(command));
bridge.on("hand-over", async ({ nonce, from, report: wanted }) => {
  if (desk.state !== "writing" || wanted !== report) return;
  bridge.send("handed", { nonce, to: from, ...(await desk.handOver()) });
  at("elsewhere").hidden = false;
  at("desk").hidden = true;
});
desk.addEventListener("opened", () => desk.state === "writing" && bridge.send("writing", { report, busy: true }));
addEventListener("pagehide", () => desk.state === "writing" && bridge.send("closed", { report, token: desk.token }));
at("write-here").addEventListener("click", () => begin());
listenToNews((message) => desk.news(message), () => desk.saver?.retry());

/** Whoever writes it in another window of this browser gives it over. */
async function begin() {
  at("elsewhere").hidden = true;
  at("desk").hidden = false;
  const writer = await bridge.ask("who", "writing");
  const handed = writer?.report === report ? await bridge.ask("hand-over", "handed", { report }, 3000) : null;
  await desk.open({ handed });
  desk.editor?.focus();
}

/** The tab that was opened only to sign in again: the words are in another one. */
if (new URLSearchParams(location.search).has("signed-in")) {
  at("desk").className = "note elsewhere";
  at("desk").textContent = t("You are signed in again. Your text is in the window in which you were writing; this one can be closed.");
  close();
} else begin();

/** What an integrator or a test may look at; nothing here changes anything. */
window.farview = Object.freeze({
  get report() {
    return { state: desk.state, id: report, version: desk.draft?.version ?? null, saving: desk.saver?.state ?? null, unsaved: desk.draft?.unsaved ?? [], content: { ...desk.draft?.content } };
  },
});
