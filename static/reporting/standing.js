// How a report stands, in words on top of it, where that asks something of whoever opens it: returned, waiting for a co-signature, being
// corrected, said to be entered in error.

import { t } from "../i18n.js";
import { actAction, openActs, showChanges, submitter } from "./acts.js";

const moment = (at) => new Date(at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });

const WHY = { error: () => t("because something in it is wrong"), content: () => t("to add or say something anew") };

/** Puts the notices over the report. */
export function tellStanding(desk) {
  const { report } = desk;
  returned(desk, report.returned);
  waiting(desk);
  correction(desk, report.correction);
  wrong(desk, report.error_request);
  if (desk.looking && report.may.includes("save") && !report.returned) desk.notices.set("writable", { text: t("It can still be written on."), actions: [writeOn(desk)] });
}

const writeOn = (desk) => [t("Write on"), () => desk.open()];

function returned(desk, said) {
  if (!said) return;
  const text = t("{name} returned it on {time}: “{reason}”", { name: said.by, time: moment(said.at), reason: said.reason });
  desk.notices.set("returned", { text, tone: "trouble", actions: desk.looking && desk.report.may.includes("save") ? [writeOn(desk)] : [] });
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
