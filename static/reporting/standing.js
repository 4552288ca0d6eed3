// How a report stands, in words on top of it, where that asks something of whoever opens it: returned, waiting for a co-signature, being
// corrected, said to be entered in error.

import { t } from "../i18n.js";
import { changes, title } from "../corrections/words.js";
import { personName } from "../text.js";
import { make } from "../viewer/menu.js";
import { readBy } from "./priors.js";
import { actAction, openActs, showChanges, submitter } from "./acts.js";

const moment = (at) => new Date(at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });

const WHY = { error: () => t("because something in it is wrong"), content: () => t("to add or say something anew") };

/** Puts the notices over the report. */
export function tellStanding(desk) {
  const { report } = desk;
  returned(desk, report.returned);
  apart(desk);
  waiting(desk);
  correction(desk, report.correction);
  wrong(desk, report.error_request);
  imagesCorrected(desk);
  if (desk.looking && report.may.includes("save") && !report.returned) desk.notices.set("writable", { text: t("It can still be written on."), actions: [writeOn(desk)] });
}

const writeOn = (desk) => [t("Write on"), () => desk.open()];

function returned(desk, said) {
  if (!said) return;
  const text = t("{name} returned it on {time}: “{reason}”", { name: said.by, time: moment(said.at), reason: said.reason });
  desk.notices.set("returned", { text, tone: "trouble", actions: desk.looking && desk.report.may.includes("save") ? [writeOn(desk)] : [] });
}

/** Two radiologists read it apart: what that means for whoever is one of them, and for whoever writes the report of both. */
function apart(desk) {
  const { state, reads = [] } = desk.report;
  const said = {
    blind: () => t("Two radiologists read this examination. Nobody sees what you write or mark until the other has read it too."),
    read: () => t("This is one of two reads. It goes out to nobody; the report is written once both are complete."),
  };
  if (said[state]) desk.notices.set("apart", { text: said[state]() });
  else if (reads.length && desk.state === "writing") {
    const [first, second] = reads;
    const text = t("{first} and {second} have read it, each alone. What both say alike stands here; where they differ the field is empty.", { first: first.by, second: second.by });
    desk.notices.set("apart", { text, actions: reads.map(({ id, by }) => [readBy(by), () => desk.priors.choose(id)]) });
  }
}

function waiting(desk) {
  const { report } = desk;
  const author = submitter(report);
  if (report.state !== "pending_cosign" || !author) return;
  const wrote = t("{name} wrote it and signed it on {time}.", { name: author.name, time: moment(author.at) });
  const mine = report.may.includes("cosign");
  const text = mine ? `${wrote} ${t("Change what has to be changed, then co-sign it; or return it.")}` : `${wrote} ${t("It waits for an attending's co-signature.")}`;
  const sign = [t("Co-sign…"), () => desk.run("sign")];
  desk.notices.set("waiting", { text, actions: mine && desk.state === "writing" ? [sign, actAction(desk, "return")] : [] });
}

function correction(desk, said) {
  if (!said) return;
  const why = WHY[said.reason_code]?.() ?? "";
  const text = t("A correction, begun by {name} on {time} {why}: “{reason}” Readers still get the signed text, until the correction is signed.", { name: said.by, time: moment(said.at), why, reason: said.reason });
  const give = openActs(desk.report).includes("abandon") && desk.state === "writing" ? [actAction(desk, "abandon")] : [];
  const element = desk.notices.set("correction", { text, actions: [[t("What it changes"), () => showChanges(desk)], ...give] });
  element.classList.add("correction-band");
}

/** What was done to its images since, and the way on: a draft goes on once somebody says whose it is, what is signed is corrected or
 *  withdrawn. */
function imagesCorrected(desk) {
  const { corrected_since: rows = [], reassigned, signatures = [], context } = desk.report;
  if (!rows.length && !reassigned) return;
  const more = make("ul", "corrected-since");
  for (const row of rows) {
    const words = [title(row), ...changes(row), `“${row.reason}”`, `${row.actor}, ${moment(row.at)}`];
    make("li", "", more, { dir: "auto" }).textContent = words.join(" · ");
  }
  const signed = signatures.length > 0;
  const name = personName(context.patient_name) || context.patient_id;
  const text = signed ? t("The images of this report were corrected after it was signed:") : t("The images of this report were corrected after this was written:");
  const mine = reassigned && desk.state === "writing" ? [[t("The text is about {name}: go on", { name }), () => desk.acceptPatient(), "accept_patient"]] : [];
  const acts = signed && desk.state === "reading" ? openActs(desk.report).filter((one) => WAYS_ON.includes(one)) : [];
  desk.notices.set("images-corrected", { text, tone: "trouble", more, actions: [...mine, ...acts.map((one) => actAction(desk, one))] });
}

const WAYS_ON = ["correct", "request_error"];

function wrong(desk, asked) {
  if (desk.report.state === "entered_in_error") {
    const last = desk.report.signatures.filter(({ meaning }) => meaning === "entered in error").at(-1);
    const text = last ? t("Entered in error: this report does not hold. Confirmed by {name} on {time}: “{reason}”", { name: last.name, time: moment(last.at), reason: last.reason ?? "" }) : t("Entered in error: this report does not hold.");
    desk.notices.set("wrong", { text, tone: "trouble" });
    return;
  }
  if (!asked) return;
  const open = openActs(desk.report);
  const mine = open.includes("withdraw_error");
  const confirm = open.includes("confirm_error");
  const next = mine ? t("A second person has to confirm it.") : confirm ? t("You can confirm it.") : t("A second person confirms it.");
  const text = t("{name} asked on {time} that this report be marked as entered in error: “{reason}” {next} Until then it holds.", { name: asked.by, time: moment(asked.at), reason: asked.reason, next });
  desk.notices.set("wrong", { text, tone: "trouble", actions: [...(confirm ? [actAction(desk, "confirm_error")] : []), ...(mine ? [actAction(desk, "withdraw_error")] : [])] });
}
