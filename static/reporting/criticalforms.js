// What is asked when a critical result is recorded, and when somebody tried to reach somebody.

import { t } from "../i18n.js";
import { openForm } from "../dialog.js";

const METHODS = {
  phone: () => t("by phone"),
  in_person: () => t("in person"),
  video: () => t("by video"),
  secure_message: () => t("by secure message"),
  pager: () => t("by pager"),
  other: () => t("otherwise"),
};
const OUTCOMES = {
  reached: () => t("reached"),
  no_answer: () => t("no answer"),
  left_message: () => t("left a message"),
  refused: () => t("did not take it"),
};
const CATEGORIES = {
  minutes: () => t("Minutes"),
  hours: () => t("Hours"),
  days: () => t("Days"),
};

export const methodWords = (method) => METHODS[method]?.() ?? method;
export const outcomeWords = (outcome) => OUTCOMES[outcome]?.() ?? outcome;

/** A span of minutes in words. */
export function within(minutes) {
  if (minutes < 60) return t("{n} min", { n: minutes });
  if (minutes < 24 * 60) return minutes % 60 ? t("{h} h {n} min", { h: Math.floor(minutes / 60), n: minutes % 60 }) : t("{h} h", { h: minutes / 60 });
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor((minutes % 1440) / 60)];
  return hours ? t("{d} d {h} h", { d: days, h: hours }) : t("{d} d", { d: days });
}

const pad = (number) => String(number).padStart(2, "0");
/** A time as a control of this browser holds it: of the wall clock here, to the minute. */
const local = (at) => `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}T${pad(at.getHours())}:${pad(at.getMinutes())}`;
/** That of a control, with its zone; what was left as it stood is now. */
const zoned = (value, before) => (!value || value === before ? {} : { at: new Date(value).toISOString() });

/** Asks what was found. Resolves to what `send` answered, or null. */
export function askRecord({ report, finding, categories, send }) {
  const now = local(new Date());
  return openForm({
    name: finding ? `critical ${report} ${finding}` : `critical ${report}`,
    title: t("Record a critical result"),
    lead: t("A finding that somebody must hear of. Everybody who opens the report sees it until it was read back and closed."),
    fields: [
      { name: "finding", kind: "area", label: t("Finding"), needed: true, value: finding, most: 1000 },
      { name: "category", kind: "choice", label: t("Somebody must hear of it within"), needed: true, options: categories.map(({ value, minutes }) => [value, CATEGORIES[value]?.() ?? value, t("escalated after {time}", { time: within(minutes) })]) },
      { name: "found_at", kind: "moment", label: t("Found"), value: now },
    ],
    go: t("Record it"),
    send: ({ finding: text, category, found_at: found }) => {
      const { at } = zoned(found, now);
      return send({ finding: text, category, ...(at ? { found_at: at } : {}) });
    },
  });
}

/** Asks whom somebody tried to reach, how, and what came of it. */
export function askTry({ result, methods, outcomes, send }) {
  const now = local(new Date());
  return openForm({
    name: `try ${result.id}`,
    title: t("A try to reach somebody"),
    lead: result.finding,
    fields: [
      { name: "recipient", kind: "text", label: t("Whom"), needed: true, value: result.recipient, most: 200 },
      { name: "recipient_role", kind: "text", label: t("Who that is (ward, referring doctor, ...)"), value: result.recipient_role, most: 100 },
      { name: "method", kind: "choice", label: t("How"), needed: true, value: "phone", options: methods.map((one) => [one, methodWords(one)]) },
      { name: "outcome", kind: "choice", label: t("What came of it"), needed: true, options: outcomes.map((one) => [one, outcomeWords(one)]) },
      { name: "read_back", kind: "check", label: t("Read back"), hint: t("They said it back, and rightly.") },
      { name: "note", kind: "text", label: t("Note"), most: 1000 },
      { name: "at", kind: "moment", label: t("When"), value: now },
    ],
    go: t("Write it down"),
    send: ({ at, ...body }) => send({ ...body, ...zoned(at, now) }),
  });
}
