// What may be done with a report beside writing and signing it: one table, one dialog. The server says which of them are open.

import { dialogOf, openForm } from "../dialog.js";
import { t } from "../i18n.js";
import { make } from "../viewer/menu.js";
import { line } from "./checks.js";
import { passwordHint, signsBy, withProof } from "./confirming.js";
import { drawn } from "./difference.js";
import { fillPreview } from "./preview.js";

const moment = (at) => new Date(at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
const reason = () => ({ name: "reason", kind: "area", label: t("Reason"), needed: true, most: 1000 });
const password = (by) => (by.password ? [{ name: "password", kind: "password", label: t("Your password"), needed: !by.page, hint: passwordHint(by) }] : []);

/** Each act: its button, its dialog, its door, and whether the report is only looked at afterwards. `with`: what goes along. */
const ACTS = {
  addendum: {
    label: () => t("Addendum…"),
    title: () => t("Add to the signed report"),
    lead: () => t("The signed text stays exactly as it is. What you add is signed by you and stands under it, with your name and the time."),
    more: (desk) => (desk.report.correction ? null : signedText(desk)),
    fields: (by) => [{ name: "text", kind: "area", label: t("What you add"), needed: true, most: 32000 }, ...password(by)],
    signs: true,
    go: () => t("Sign the addendum"),
    with: (desk) => ({ context: desk.context() }),
    done: () => t("The addendum is signed."),
  },
  return: {
    label: () => t("Return with a comment…"),
    title: () => t("Return the report to its author"),
    lead: (desk) => t("It goes back to {name}, with your comment on top. What you changed stays in it.", { name: submitter(desk.report)?.name ?? "" }),
    fields: () => [{ name: "comment", kind: "area", label: t("What is to be mended"), needed: true, most: 1000 }],
    go: () => t("Return it"),
    with: (desk) => ({ token: desk.token }),
    done: () => t("It went back to its author."),
    look: true,
  },
  correct: {
    label: () => t("Correct…"),
    title: () => t("Correct the signed report"),
    lead: () => t("You write a correction beside it. Readers get the signed text until you sign the correction; then they are told that it was corrected, and why."),
    fields: () => [{ name: "reason_code", kind: "choice", label: t("Kind"), needed: true, options: [["error", t("Error"), t("something in it is wrong")], ["content", t("Content"), t("something is added or said anew; nothing was wrong")]] }, reason()],
    go: () => t("Write the correction"),
    with: (desk) => ({ context: desk.context(), token: desk.token }),
    done: () => t("You are writing a correction."),
    write: true,
  },
  abandon: {
    label: () => t("Give the correction up…"),
    title: () => t("Give the correction up"),
    lead: () => t("The signed text goes on to hold. What you wrote of the correction stays among the versions."),
    go: () => t("Give it up"),
    door: (desk) => ["DELETE", `correct/?token=${encodeURIComponent(desk.token)}`],
    done: () => t("The correction was given up."),
    look: true,
  },
  cancel: {
    label: () => t("Cancel the report…"),
    title: () => t("Cancel the report"),
    lead: () => t("It ends here, before it is final, and whoever was told of it is told that it was cancelled. This cannot be undone."),
    fields: () => [reason()],
    go: () => t("Cancel the report"),
    done: () => t("The report is cancelled."),
    look: true,
  },
  request_error: {
    label: () => t("Entered in error…"),
    title: () => t("This report was entered in error"),
    lead: () => t("For a report that should not be there at all: of another patient, another examination. You ask for it; nothing changes for readers until a second person confirms it."),
    fields: (by) => [reason(), ...password(by)],
    signs: true,
    go: () => t("Ask for it"),
    done: () => t("You asked for it. A second person has to confirm it."),
  },
  confirm_error: {
    label: () => t("Confirm: entered in error…"),
    title: () => t("Confirm that this report was entered in error"),
    lead: ({ report: { error_request: asked } }) => t("{name} asked for it on {time}: “{reason}” Once you confirm it, everybody who gets the report is told that it does not hold. This cannot be undone.", { name: asked.by, time: moment(asked.at), reason: asked.reason }),
    fields: (by) => password(by),
    signs: true,
    go: () => t("Confirm"),
    done: () => t("The report is marked as entered in error."),
    look: true,
  },
  withdraw_error: {
    label: () => t("Take the request back…"),
    title: () => t("Take back that this report was entered in error"),
    lead: () => t("The report goes on to hold as it is."),
    go: () => t("Take it back"),
    door: () => ["DELETE", "entered-in-error/"],
    done: () => t("The request was taken back."),
  },
};
const DOORS = { request_error: "entered-in-error", confirm_error: "entered-in-error" };

/** The signature that sent a report to be co-signed. */
export const submitter = ({ signatures = [] }) => signatures.filter(({ meaning }) => meaning === "author").at(-1) ?? null;

/** Names of the acts that are open now, in the order in which they are offered. */
export function openActs({ may = [], error_request: asked }) {
  const wrong = may.includes("entered_in_error") ? (asked ? "confirm_error" : "request_error") : null;
  return Object.keys(ACTS).filter((name) => may.includes(name) || name === wrong);
}

/** Buttons of those that no notice on top offers. */
export function actButtons(desk, element) {
  for (const name of openActs(desk.report).filter((one) => !desk.notices.offers(one))) {
    const button = make("button", "", element, { type: "button", "data-act": name });
    button.textContent = ACTS[name].label();
    button.addEventListener("click", () => act(desk, name));
  }
}

/** One button of them, for a notice: [label, run, name]. */
export const actAction = (desk, name) => [ACTS[name].label(), () => act(desk, name), name];

/** Opens the dialog of an act; afterwards the page shows what became of the report. */
export async function act(desk, name) {
  const row = ACTS[name];
  if (desk.saver && !(await desk.saver.flush())) return desk.say(t("Not everything is saved yet. Once it is, try again."));
  const by = row.signs ? await signsBy() : null;
  const [method, door] = row.door?.(desk) ?? ["POST", `${DOORS[name] ?? name}/`];
  const form = {
    name: `${name} ${desk.report.id}`,
    title: row.title(),
    lead: row.lead(desk),
    more: row.more?.(desk) ?? null,
    fields: row.fields?.(by) ?? [],
    go: row.go(),
    also: problemsOf,
    send: (values, say, dialog) => withProof(() => sent(desk, door, { method, ...(method === "POST" ? { body: { ...values, ...row.with?.(desk) } } : {}) }), dialog, say),
  };
  const writing = desk.state === "writing";
  if (!(await openForm(form))) return undefined;
  return desk.acted(row.done(), { look: row.look || !(row.write || writing) });
}

/** Sends it; its own news does not open the page anew meanwhile. */
async function sent(desk, door, asked) {
  desk.acting = true;
  try {
    return await desk.ask(`/api/reports/${desk.report.id}/${door}`, asked);
  } catch (problem) {
    desk.acting = false;
    throw problem;
  }
}

/** What the checks say of what was refused. */
function problemsOf({ body }) {
  if (!body?.problems?.length) return [];
  const list = make("ul", "checks");
  for (const one of body.problems) list.append(line({ ...one, field: "" }));
  return [list];
}

/** What stays as it is, to be unfolded. */
function signedText(desk) {
  const box = make("details", "changes");
  make("summary", "", box).textContent = t("The signed text, which stays");
  const sheet = make("div", "report-sheet", box);
  fillPreview(sheet, desk.report.id, desk.ask);
  return box;
}

/** What a correction changes, as a sheet. */
export async function showChanges(desk) {
  await desk.saver?.flush();
  const dialog = dialogOf({ title: t("Changed since the signed text"), icon: desk.icon });
  const body = make("div", "", dialog);
  dialog.showModal();
  try {
    const { changes } = await desk.ask(`/api/reports/${desk.report.id}/difference/`);
    if (!changes.length) make("p", "quiet", body).textContent = t("Nothing is changed yet.");
    for (const { field, label, before, after } of changes) {
      make("p", "prior-head", body).textContent = label || field;
      make("div", "prior-text", body).append(...drawn(before, after));
    }
  } catch (problem) {
    make("p", "wrong", body, { role: "alert" }).textContent = problem.message;
  }
}
