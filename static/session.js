// The end of the session: said a minute before it comes, and when it has come. What the reader does on this page is told to the
// server now and then, for it keeps a session only while somebody acts.

import { soonAfter } from "./again.js";
import { t } from "./i18n.js";
import { make } from "./viewer/menu.js";

const DOOR = "/accounts/session/";
const WARN = 60;
const TELL = 30;
const ACTS = ["pointerdown", "pointermove", "keydown", "wheel", "touchmove"];
const QUIET = { "Accept": "application/json" };

let acted = 0;
let told = performance.now();
let state = null;
let name = null;
let shown = null;
let accepted = false;

const seconds = (since) => (performance.now() - since) / 1000;
const left = (until) => (until === null ? Infinity : until - seconds(state.at));
const tokens = () => document.querySelectorAll("[name=csrfmiddlewaretoken]");

async function ask(method) {
  const headers = method === "POST" ? { ...QUIET, "X-CSRFToken": tokens()[0]?.value ?? "" } : QUIET;
  const answer = await fetch(DOOR, { method, headers, credentials: "same-origin" });
  if (answer.status === 403 && method === "POST") return ask("GET"); // signed in anew in another tab: the form's token is old
  if (!answer.ok) throw new Error(`${answer.status}`);
  return answer.json();
}

/** What the server says; that nobody is signed in only where it says so twice. */
async function certain(method) {
  const now = await ask(method);
  return now.signed_in ? now : soonAfter(() => ask("GET"));
}

/** What the server says by now; null where it cannot be reached. */
async function refresh(method = "GET") {
  const now = await certain(method).catch(() => null);
  if (!now) return null;
  if (!now.signed_in) {
    over();
    return now;
  }
  name ??= now.name;
  if (now.name !== name) return now; // somebody else's by now: the pages know what to do about that
  for (const input of tokens()) input.value = now.form_token;
  state = { ...now, at: performance.now() };
  return now;
}

function dialog(title, words, className) {
  shown?.remove();
  shown = make("dialog", `session-end ${className}`, document.body, { "aria-labelledby": "session-end-title" });
  make("h2", "", shown, { id: "session-end-title" }).textContent = title;
  const text = make("p", "", shown, { role: "timer" });
  text.textContent = words;
  const button = make("button", "primary", shown, { type: "button", autofocus: "" });
  shown.showModal();
  return { text, button };
}

function close() {
  shown?.remove();
  shown = null;
}

function inWords(count) {
  const n = Math.max(0, Math.ceil(count));
  return n === 1 ? t("In 1 second you are signed out, for nothing has been done here for a while.") : t("In {n} seconds you are signed out, for nothing has been done here for a while.", { n });
}

function warn() {
  if (!shown) {
    const { button } = dialog(t("Are you still there?"), inWords(left(state.idle_ends_in)), "warning");
    button.textContent = t("Stay signed in");
    button.addEventListener("click", tell);
  }
  shown.querySelector("p").textContent = inWords(left(state.idle_ends_in));
}

function warnOfTheHour() {
  const minutes = t("Your session ends in less than a minute, as every session does some hours after signing in. What you wrote is kept; sign in again then.");
  const { button } = dialog(t("Your session ends"), minutes, "warning hour");
  button.textContent = t("Go on");
  button.addEventListener("click", close);
}

/** The session is over: the page is covered, and what was written in it stays. */
function over() {
  clearInterval(timer);
  const why = reason();
  const { button } = dialog(t("You are signed out"), why, "over");
  shown.addEventListener("cancel", (event) => event.preventDefault());
  button.textContent = t("Sign in again");
  button.addEventListener("click", () => location.assign(`/accounts/sign-in/?next=${encodeURIComponent(location.pathname + location.search)}`));
  addEventListener("focus", again);
}

function reason() {
  const kept = t("What you wrote is kept.");
  if (state && left(state.idle_ends_in) <= 1) return `${t("Nothing was done here for {n} minutes.", { n: Math.round(state.idle_seconds / 6) / 10 })} ${kept}`;
  if (state && left(state.ends_in) <= 1) return `${t("Every session ends some hours after signing in.")} ${kept}`;
  return `${t("The session was ended in another window or by an administrator.")} ${kept}`;
}

/** Signed in again in another tab: the page goes on. */
async function again() {
  const now = await ask("GET").catch(() => null);
  if (now?.signed_in) location.reload();
}

async function tell() {
  told = performance.now();
  if (await refresh("POST")) accepted = false;
}

async function look() {
  if (!state) return;
  const [idle, hour] = [left(state.idle_ends_in), left(state.ends_in)];
  const early = Math.min(WARN, (state.idle_seconds ?? Infinity) / 3);
  if (acted > told && (shown || seconds(told) > Math.min(TELL, early / 2))) await tell();
  else if (Math.min(idle, hour) <= early) await refresh();
  if (!state || shown?.classList.contains("over")) return;
  if (left(state.idle_ends_in) <= early) warn();
  else if (shown && !shown.classList.contains("hour")) close();
  if (left(state.ends_in) <= WARN && !accepted) {
    accepted = true;
    warnOfTheHour();
  }
}

for (const act of ACTS) addEventListener(act, () => (acted = performance.now()), { passive: true, capture: true });
const timer = setInterval(look, 1000);
setTimeout(() => refresh(), 1000);
