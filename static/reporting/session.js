// Being signed in: who, and again after the session ended, without leaving the page.

import { t } from "../i18n.js";
import { rest } from "../viewer/features/rest.js";

/** {name, shown, organizations, journalKey} of whoever is signed in. */
export async function whoAmI() {
  const { name, full_name: full, organizations = [], journal_key: journalKey = "" } = await rest("/api/me/");
  return { name, shown: full || name, organizations, journalKey };
}

/** "again" once the same person is signed in again, with the page's form token renewed; "out", or a sentence that says who is. */
export async function signedInAgain(user, page) {
  const me = await whoAmI().catch(({ status }) => (status === 401 || status === 403 ? null : Promise.reject(new Error("not now"))));
  if (!me) return "out";
  if (me.name !== user) return t("{name} is signed in now in this browser. What you typed is kept for you alone.", { name: me.shown });
  const answer = await fetch(page, { credentials: "same-origin", headers: { Accept: "text/html" } });
  if (!answer.ok) return "out";
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[name=csrfmiddlewaretoken]")?.value;
  if (!fresh) return "out";
  for (const input of document.querySelectorAll("[name=csrfmiddlewaretoken]")) input.value = fresh;
  return "again";
}

const tokenName = (user, study) => `farview.report-lock.${user}.${study}`;

/** The name under which this browser holds the lock: it outlives a window that died, so that the next one goes on at once. Two
 *  living windows ask each other before they take it. */
export function lockToken(user, study) {
  const held = localStorage.getItem(tokenName(user, study)) ?? crypto.randomUUID();
  localStorage.setItem(tokenName(user, study), held);
  return held;
}

export const adoptToken = (user, study, token) => localStorage.setItem(tokenName(user, study), token);

/** A request that outlives the page: for what was typed in its last moment, and for letting go of the lock. */
export function lastWord(address, method, body) {
  const token = document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";
  const headers = { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": token };
  fetch(address, { method, headers, credentials: "same-origin", keepalive: true, body: JSON.stringify(body) }).catch(() => {});
}
