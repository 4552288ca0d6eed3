// The upload page: files and folders in, progress in numbers, a list of what was not taken, links to what was.

import { t } from "../i18n.js";
import { bytes, isoDate, personName } from "../text.js";
import { chosen, dropped, worthSending } from "./files.js";
import { Queue } from "./queue.js";

const at = (id) => document.getElementById(id);
const form = at("upload");
const LISTED = 200;

if (form) begin();

function begin() {
  const organization = () => at("organization")?.value || form.dataset.only;
  const queue = new Queue({
    address: (item) => `/api/uploads/?organization=${encodeURIComponent(item.organization)}`,
    token: form.querySelector("[name=csrfmiddlewaretoken]").value,
  });
  const totals = { stored: 0, duplicate: 0, conflict: 0, refused: 0, skipped: 0, failed: 0 };
  const studies = new Map();
  let refusals = [];
  let all = false;
  let reading = 0;
  let drawing = 0;

  // --- in

  async function take(items) {
    if (!organization()) {
      at("organization").focus();
      at("organization").reportValidity();
      return;
    }
    reading += 1;
    for await (const item of items) if (worthSending(item)) queue.add({ ...item, organization: organization() });
    reading -= 1;
    draw();
  }

  for (const [button, input] of [["choose-files", "files"], ["choose-folder", "folder"]]) {
    at(button).addEventListener("click", () => at(input).click());
    at(input).addEventListener("change", () => {
      take(chosen(at(input).files));
      at(input).value = "";
    });
  }
  const drop = at("drop");
  for (const name of ["dragenter", "dragover"]) {
    document.addEventListener(name, (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      drop.dataset.over = "yes";
    });
  }
  document.addEventListener("dragleave", (event) => !event.relatedTarget && delete drop.dataset.over);
  document.addEventListener("drop", (event) => {
    delete drop.dataset.over;
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    take(dropped(event.dataTransfer));
  });

  // --- on the way

  queue.addEventListener("change", () => {
    drawing ||= requestAnimationFrame(draw);
  });
  queue.addEventListener("outcome", ({ detail: { outcomes } }) => {
    for (const one of outcomes) note(one);
    drawing ||= requestAnimationFrame(draw);
  });
  at("cancel").addEventListener("click", () => queue.cancel());
  at("retry").addEventListener("click", () => {
    refusals = refusals.filter(({ outcome }) => outcome !== "failed");
    totals.failed = 0;
    queue.retry();
  });
  at("all-refused").addEventListener("click", () => {
    all = true;
    draw();
  });
  addEventListener("beforeunload", (event) => queue.busy && event.preventDefault());

  function note(outcome) {
    totals[outcome.outcome] = (totals[outcome.outcome] ?? 0) + 1;
    const uid = outcome.study_instance_uid;
    if (uid && ["stored", "duplicate"].includes(outcome.outcome)) {
      const found = studies.get(uid) ?? { stored: 0, duplicate: 0, link: null };
      found[outcome.outcome] += 1;
      studies.set(uid, found);
    }
    if (!["stored", "duplicate"].includes(outcome.outcome)) refusals.push(outcome);
  }

  function draw() {
    drawing = 0;
    const busy = queue.busy || reading > 0;
    at("work").hidden = queue.count === 0 && !busy;
    at("work-title").textContent = busy ? sending() : t("Done");
    at("progress").max = Math.max(1, queue.bytes);
    at("progress").value = busy ? queue.sent : Math.max(1, queue.bytes);
    at("figures").textContent = [t("{n} of {all}", { n: bytes(queue.sent), all: bytes(queue.bytes) }), ...figures()].join(" · ");
    at("cancel").hidden = !busy;
    at("retry").hidden = busy || queue.failed.length === 0;
    if (!busy && queue.count) at("told").textContent = `${t("Done")}. ${figures().join(", ")}.`;
    drawStudies();
    drawRefusals();
  }

  function sending() {
    return queue.count === 1 ? t("Sending 1 file") : t("Sending {n} of {all} files", { n: queue.finished + queue.moving.size, all: queue.count });
  }

  function figures() {
    const words = { stored: t("stored"), duplicate: t("already there"), conflict: t("kept aside"), refused: t("refused"), skipped: t("left out"), failed: t("not sent") };
    return Object.entries(words).filter(([name]) => totals[name]).map(([name, word]) => `${totals[name]} ${word}`);
  }

  function drawStudies() {
    at("received").hidden = studies.size === 0;
    for (const [uid, found] of studies) {
      if (!found.link) {
        const row = document.createElement("li");
        found.link = Object.assign(document.createElement("a"), { href: `/studies/${encodeURIComponent(uid)}/?organization=${encodeURIComponent(organization())}`, textContent: t("Study") });
        found.figures = Object.assign(document.createElement("span"), { className: "quiet" });
        row.append(found.link, " ", found.figures);
        at("studies").append(row);
        name(uid, found.link);
      }
      found.figures.textContent = [found.stored && (found.stored === 1 ? t("1 image stored") : t("{n} images stored", { n: found.stored })), found.duplicate && t("{n} already there", { n: found.duplicate })].filter(Boolean).join(", ");
    }
  }

  /** Who and what it is; the link stands without it. */
  async function name(uid, link) {
    const answer = await fetch(`/api/studies/?q=${encodeURIComponent(uid)}&organization=${encodeURIComponent(organization())}`).catch(() => null);
    const study = answer?.ok ? (await answer.json()).studies[0] : null;
    if (study) link.textContent = [personName(study.patient.name), isoDate(study.date), study.description].filter(Boolean).join(" · ");
    else link.textContent = t("Study {uid}", { uid });
  }

  function drawRefusals() {
    at("refusals").hidden = refusals.length === 0;
    at("refusals-title").textContent = refusals.length === 1 ? t("Not taken: 1 file") : t("Not taken: {n} files", { n: refusals.length });
    const shown = all ? refusals : refusals.slice(0, LISTED);
    at("all-refused").hidden = shown.length === refusals.length;
    const have = at("refused").children.length;
    if (have > shown.length) at("refused").replaceChildren();
    for (const one of shown.slice(at("refused").children.length)) {
      const row = document.createElement("tr");
      for (const text of [one.name, { conflict: t("kept aside"), skipped: t("left out"), failed: t("not sent") }[one.outcome] ?? one.outcome, one.reason]) {
        row.append(Object.assign(document.createElement("td"), { textContent: text }));
      }
      at("refused").append(row);
    }
  }
}
