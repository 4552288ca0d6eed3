// What a writer is told when the text is not simply as it was left: recovered, taken by somebody else, left over from another
// template.

import { openForm } from "../dialog.js";
import { t } from "../i18n.js";
import { make } from "../viewer/menu.js";
import { drawn } from "./difference.js";
import { fieldsOf } from "./draft.js";
import { valueWords } from "./fieldwords.js";

const clock = (at) => new Date(at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });

/** Fields with what changed in them, to be unfolded. */
function changes(desk, ids, from, to) {
  const fields = fieldsOf(desk.report.schema);
  const box = make("details", "changes");
  make("summary", "", box).textContent = t("What changed");
  for (const id of ids) {
    const field = fields.find((one) => one.id === id);
    make("p", "prior-head", box).textContent = field?.label || id;
    make("div", "prior-text", box).append(...drawn(valueWords(field, from[id]), valueWords(field, to[id])));
  }
  return box;
}

/** Typed in an earlier page, never acknowledged, brought back now. */
export function recoveredNotice(desk, entry, ids, before) {
  const { draft, notices } = desk;
  const text = t("Recovered: what you typed until {time} and had not reached the server ({fields}). It is being saved now.", { time: clock(entry.kept), fields: desk.names(ids) });
  const undo = () => {
    draft.replace({ ...draft.content, ...Object.fromEntries(ids.map((id) => [id, before[id] ?? null])) }, draft.fills, ids);
    desk.saver.changed();
    notices.clear("recovered");
  };
  notices.set("recovered", { text, tone: "good", more: changes(desk, ids, before, draft.content), actions: [[t("Good"), () => notices.clear("recovered")], [t("Without it"), undo]] });
}

/** Somebody else, or another window, writes it. */
export function lostNotice(desk, lost) {
  const { report, notices, me } = desk;
  const { by } = report.lock;
  const mine = by === me.shown;
  const held = !by ? t("Nobody is writing this report now.") : mine ? t("You are writing this report in another window.") : t("{name} is writing this report.", { name: by });
  const kept = lost && desk.draft.unsaved.length ? ` ${t("What you typed last is kept in this browser and comes back when you write again.")}` : "";
  const before = lost && by && !mine ? `${t("The report was taken from you.")} ` : "";
  const action = [!by || mine ? t("Write here") : t("Take it over…"), () => (!by || mine ? desk.takeOver() : askReason(desk))];
  notices.set("lock", { text: `${before}${held} ${t("Here it can be read.")}${kept}`, tone: lost && by && !mine ? "trouble" : "", actions: [action] });
}

/** Why somebody takes over what another one has in hand. */
export const takeReason = () => ({ name: "reason", kind: "text", label: t("Reason"), needed: true, most: 500 });

async function askReason(desk) {
  const { by } = desk.report.lock;
  const taken = await openForm({
    title: t("Take the report over from {name}", { name: by }),
    lead: t("What was saved stays. {name} is told, and the reason is kept in the record.", { name: by }),
    fields: [takeReason()],
    go: t("Take it over"),
    send: ({ reason }) => desk.lock.take(reason),
  });
  if (taken) desk.writeOn();
}

/** Texts that have no place in the template of now. */
export function leftOverNotice(desk) {
  const left = desk.report.left_over ?? [];
  if (!left.length) return desk.notices.clear("left-over");
  const box = make("details", "changes");
  make("summary", "", box).textContent = t("Show them");
  for (const { words, label, value } of left) make("div", "prior-text", box).textContent = words ?? `${label}: ${value}`;
  const text = left.length === 1 ? t("The template has no place for 1 field that was filled in another one. Earlier versions keep it.") : t("The template has no place for {n} fields that were filled in another one. Earlier versions keep them.", { n: left.length });
  return desk.notices.set("left-over", { text, more: box, actions: [[t("Good"), () => desk.notices.clear("left-over")]] });
}

/** Words that were typed in this browser and did not get into a report that is finished now. */
export async function unsavedElsewhere(desk) {
  const { report, journal, notices } = desk;
  const entry = await journal.of(report.id);
  if (!entry || desk.report !== report) return;
  const ids = Object.keys(entry.content ?? {}).filter((id) => JSON.stringify(entry.content[id] ?? "") !== JSON.stringify(report.content[id] ?? ""));
  if (!ids.length) {
    journal.drop(report.id);
    return;
  }
  const drop = () => {
    journal.drop(report.id);
    notices.clear("unsaved");
  };
  notices.set("unsaved", { text: t("Words that you typed until {time} did not get into this report before it was finished. They are kept in this browser until you drop them.", { time: clock(entry.kept) }), tone: "trouble", more: changes(desk, ids, report.content, entry.content), actions: [[t("Drop them"), drop]] });
}
