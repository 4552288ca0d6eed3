// The worklist page: what is to be read, the most pressing first, living while it is looked at.

import { t } from "../i18n.js";
import { listenToNews } from "../news.js";
import { rest } from "../viewer/features/rest.js";
import { make } from "../viewer/menu.js";
import { newOrder, possible, read } from "./acts.js";
import { Filters } from "./filters.js";
import { kept, queryOf, requestOf, searchOf } from "./search.js";
import { COLUMNS, Table } from "./table.js";

const at = (id) => document.getElementById(id);
const icon = (name) => at("icons").content.querySelector(`[data-icon="${name}"]`)?.firstElementChild.cloneNode(true) ?? document.createTextNode("");
const organizations = JSON.parse(at("organizations").textContent);
const PAUSE = 220;
const CALM = 4000;

const form = at("search");
const table = new Table(at("rows"), { icon, open: (item) => act(item, (one) => read(one)), fill: fillMenu });
const filters = new Filters(at("tabs"), { icon, go: (to) => change(to), button: at("filters") });
let search = searchOf(location.search);
let shown = 1;
let asking = null;
let waiting = null;
let touched = 0;

// --- asking

async function ask({ stay = false } = {}) {
  asking?.abort();
  const own = (asking = new AbortController());
  at("frame").setAttribute("aria-busy", "true");
  try {
    const pages = [];
    for (let page = 1; page <= shown; page += 1) pages.push(await rest(requestOf(search, page), { signal: own.signal }));
    show(pages, stay);
  } catch (problem) {
    if (problem.name !== "AbortError") fail(problem);
  } finally {
    if (asking === own) at("frame").removeAttribute("aria-busy");
  }
}

function show(pages, stay) {
  const [first] = pages;
  at("failure").hidden = true;
  table.skew = new Date(first.now).getTime() - Date.now();
  const items = pages.flatMap((page) => page.items);
  at("resort").hidden = !table.set(items, { stay });
  filters.tell(first, search);
  const total = first.total ?? items.length;
  at("count").textContent = items.length < total ? t("{shown} of {all}", { shown: items.length, all: total }) : total === 1 ? t("1 examination") : t("{n} examinations", { n: total });
  at("more").hidden = items.length >= total;
  at("list").hidden = items.length === 0;
  at("empty").hidden = items.length > 0;
  at("empty-words").textContent = emptyWords();
  at("next").disabled = search.tab !== "unread" && search.tab !== "mine" ? false : items.length === 0;
}

function emptyWords() {
  if (Object.entries(search).some(([name, value]) => value && name !== "tab" && name !== "sort")) return t("Nothing matches. Every word of the search must be found.");
  return { unread: t("Nothing is waiting to be read."), mine: t("Nothing is assigned to you or held by you."), cosign: t("No report waits for its final signature."), quality: t("No study waits for a technologist."), scheduled: t("No examination is expected.") }[search.tab] ?? t("Nothing here.");
}

function fail(problem) {
  at("failure").hidden = false;
  at("failure-text").textContent = `${problem.message} ${table.items.size ? t("What is shown is kept.") : ""}`;
}

// --- the form and the address

function fill() {
  for (const name of ["q", "class", "modality", "body_part", "organization", "sort"]) {
    const field = form.elements.namedItem(name);
    if (field) field.value = search[name];
  }
  filters.show(search);
}

function change(to, { push = true, typed = false } = {}) {
  search = to;
  shown = 1;
  const address = `${location.pathname}${queryOf(search)}`;
  if (push && address !== location.pathname + location.search) history.pushState(null, "", address);
  if (typed) filters.show(search);
  else fill();
  ask();
}

function typed() {
  const said = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value).trim()]));
  change({ ...search, ...said }, { typed: true });
}

form.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(typed, PAUSE);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(waiting);
  typed();
});
addEventListener("popstate", () => change(searchOf(location.search), { push: false }));
at("q").addEventListener("keydown", (event) => {
  if (event.key !== "ArrowDown") return;
  event.preventDefault();
  table.focusFirst();
});
at("again").addEventListener("click", () => ask());
at("resort").addEventListener("click", () => ask());
at("more").addEventListener("click", () => {
  shown += 1;
  ask({ stay: true });
});
at("keep").addEventListener("click", () => filters.save(search, organizations));
at("filters").addEventListener("click", () => filters.manage(search, organizations));
at("next").addEventListener("click", next);
at("order")?.addEventListener("click", async () => {
  const done = await newOrder(organizations);
  if (done) say(t("The order is placed."));
});

// --- acts

function say(words) {
  at("said").textContent = words;
}

/** Does one thing with an item; what is refused is said, and the list shows how things stand. */
async function act(item, run) {
  try {
    const done = await run(item);
    if (done !== null) await ask({ stay: true });
  } catch (problem) {
    await ask({ stay: true });
    say(problem.message);
  }
  table.focusOn(item.id);
}

async function next() {
  try {
    const item = await rest("/api/worklist/next/", { method: "POST", body: { query: kept({ ...search, tab: "" }) } });
    location.assign(item.address);
  } catch (problem) {
    await ask({ stay: true });
    say(problem.message);
  }
}

function fillMenu(item, menu) {
  for (const [, label, picture, key, run] of possible(item)) menu.item({ label, key, icon: icon(picture), run: () => act(item, run) });
  if (!possible(item).length) menu.note(t("Nothing can be done with it now."));
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea, dialog, [role=menu]")) return;
  if (event.key === "/") at("q").focus();
  else if (event.key === "n") next();
  else if (event.key === "?") at("help").showModal();
  else if (/^[1-9]$/.test(event.key)) at("tabs").querySelectorAll(".tab")[event.key - 1]?.click();
  else if (event.key === "f") filters.manage(search, organizations);
  else if (event.key === "m" && table.current) at("rows").querySelector(`tr[data-id="${table.current.id}"] .acts button`).click();
  else {
    const item = table.current;
    const found = item && possible(item).find(([, , , key]) => key === event.key && key !== "Enter");
    if (!found) return;
    act(item, found[4]);
  }
  event.preventDefault();
});

// --- it lives

for (const kind of ["pointermove", "keydown", "focusin"]) at("frame").addEventListener(kind, () => (touched = Date.now()), { passive: true });
/** Nothing moves under a hand: rows keep their places while somebody works in the list. */
const busy = () => Date.now() - touched < CALM || at("frame").contains(document.activeElement);

let soon = null;
listenToNews(
  ({ type }) => {
    if (!["worklist.changed", "report.changed", "critical.changed"].includes(type)) return;
    clearTimeout(soon);
    soon = setTimeout(() => ask({ stay: busy() }), 400);
  },
  () => ask({ stay: busy() }),
);
setInterval(() => table.tick(), 1000);
setInterval(() => document.visibilityState === "visible" && ask({ stay: busy() }), 60000);

// --- begin

for (const [name, heading] of COLUMNS) make(heading ? "th" : "td", name, at("heads"), heading ? { scope: "col" } : {}).textContent = heading;
fill();
ask();
