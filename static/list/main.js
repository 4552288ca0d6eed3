// The study list: a search that lives in the address, pages by cursor, and news that marks rows without moving them.

import { t } from "../i18n.js";
import { listenToNews } from "../news.js";
import { possible } from "./acts.js";
import { nextSort, queryOf, requestOf, searchOf, USUAL_SORT, FIELDS } from "./search.js";
import { COLUMNS, keyOf, Table } from "./table.js";

const at = (id) => document.getElementById(id);
const icon = (name) => at("icons").content.querySelector(`[data-icon="${name}"]`).firstElementChild.cloneNode(true);
const PAUSE = 220;
const PAGE = 50;

const form = at("search");
const several = at("frame").dataset.several === "yes";
const table = new Table(at("rows"), { pictureIcon: () => at("picture-icon").content.cloneNode(true), icon, possible, several });
let search = searchOf(location.search);
let next = null;
let total = 0;
let asking = null;
let waiting = null;
const newer = new Set();

// --- asking

async function ask(cursor = null) {
  asking?.abort();
  const own = (asking = new AbortController());
  at("frame").setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(requestOf(search, cursor, PAGE), { signal: own.signal, headers: { Accept: "application/json" }, credentials: "same-origin" });
    if (answer.status === 401 || answer.redirected) return location.reload();
    const body = await answer.json();
    if (!answer.ok) throw new Error(body.detail ?? t("The server answered {status}.", { status: answer.status }));
    show(body, cursor !== null);
  } catch (problem) {
    if (problem.name !== "AbortError") fail(problem);
  } finally {
    if (asking === own) at("frame").removeAttribute("aria-busy");
  }
  return undefined;
}

function show(page, further) {
  at("failure").hidden = true;
  if (further) table.add(page.studies);
  else table.set(page.studies);
  if (!further) forgetNews();
  next = page.next;
  total = page.total;
  words();
}

function words() {
  const shown = table.rows.size;
  const filtered = Object.keys(search.fields).length > 0;
  const all = total >= 10000 ? t("more than 10,000 studies") : (total === 1 ? t("1 study") : t("{n} studies", { n: total }));
  at("count").textContent = shown ? (shown < total ? t("{shown} of {all}", { shown, all }) : all) : "\u00a0";
  at("more").hidden = !next;
  at("empty-archive").hidden = shown > 0 || filtered;
  at("empty-search").hidden = shown > 0 || !filtered;
  at("list").hidden = shown === 0;
  at("clear").hidden = !filtered;
}

function fail(problem) {
  at("failure").hidden = false;
  const unreached = navigator.onLine === false ? t("There is no network connection.") : t("The server cannot be reached.");
  const kept = table.rows.size ? ` ${t("What is shown is kept.")}` : "";
  at("failure-text").textContent = (problem instanceof TypeError ? unreached : problem.message) + kept;
}

// --- the form and the address

/** Write the search into its fields: not while somebody types there, or a blank after a word would be taken away. */
function fill() {
  for (const name of FIELDS) {
    const field = form.elements.namedItem(name);
    if (field) field.value = search.fields[name] ?? "";
  }
}

function tellSearch() {
  const inside = FIELDS.slice(1).filter((name) => search.fields[name]).length;
  at("filter-count").textContent = inside ? `(${inside})` : "";
  heads();
}

function read() {
  const fields = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value).trim()]).filter(([name, value]) => value && FIELDS.includes(name)));
  return { fields, sort: search.sort };
}

function change(to, { push = true, typed = false } = {}) {
  search = to;
  const address = `${location.pathname}${queryOf(search)}`;
  if (push && address !== location.pathname + location.search) history.pushState(null, "", address);
  if (!typed) fill();
  tellSearch();
  ask();
}

function soon() {
  clearTimeout(waiting);
  waiting = setTimeout(() => change(read(), { typed: true }), PAUSE);
}

form.addEventListener("input", soon);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(waiting);
  change(read());
});
for (const id of ["clear", "clear-too"]) {
  at(id).addEventListener("click", () => {
    form.reset();
    change({ fields: {}, sort: search.sort });
    at("q").focus();
  });
}
addEventListener("popstate", () => change(searchOf(location.search), { push: false }));
at("q").addEventListener("keydown", (event) => {
  if (event.key !== "ArrowDown") return;
  event.preventDefault();
  table.focusFirst();
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.target.closest("input, select, textarea")) return;
  event.preventDefault();
  at("q").focus();
});

// --- headings that sort

function heads() {
  const cells = COLUMNS.map(([, heading, sort, className]) => {
    const cell = document.createElement(heading ? "th" : "td");
    cell.className = className;
    if (heading) cell.scope = "col";
    if (!sort) {
      cell.textContent = heading;
      return cell;
    }
    const now = search.sort.replace(/^-/, "") === sort;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "plain";
    button.textContent = now ? `${heading} ${search.sort.startsWith("-") ? "↓" : "↑"}` : heading;
    if (now) cell.setAttribute("aria-sort", search.sort.startsWith("-") ? "descending" : "ascending");
    button.addEventListener("click", () => change({ ...search, sort: nextSort(search.sort, sort) }));
    cell.append(button);
    return cell;
  });
  const held = [...at("heads").children].findIndex((cell) => cell.contains(document.activeElement));
  at("heads").replaceChildren(...cells);
  if (held >= 0) cells[held].querySelector("button")?.focus();
  sortChoice();
}

/** The same on a phone, where there are no headings. */
function sortChoice() {
  const options = COLUMNS.filter(([, , sort]) => sort).flatMap(([, heading, sort]) => [
    new Option(`${heading} ↓`, `-${sort}`, false, search.sort === `-${sort}`),
    new Option(`${heading} ↑`, sort, false, search.sort === sort),
  ]);
  at("sort-choice").replaceChildren(...options);
}

at("sort-choice").addEventListener("change", (event) => change({ ...search, sort: event.target.value }));

// --- more of it

at("more").addEventListener("click", () => next && ask(next));
new IntersectionObserver(([entry]) => entry.isIntersecting && next && !at("frame").hasAttribute("aria-busy") && ask(next), { rootMargin: "600px" }).observe(at("more"));
at("again").addEventListener("click", () => ask());

// --- news

function forgetNews() {
  newer.clear();
  at("fresh").hidden = true;
}

function tellNews() {
  at("fresh").hidden = newer.size === 0;
  at("fresh").textContent = newer.size === 1 ? t("1 new study. Show") : t("{n} new studies. Show", { n: newer.size });
}

at("fresh").addEventListener("click", async () => {
  const keys = [...newer];
  await ask();
  for (const key of keys) table.mark(key);
  scrollTo({ top: 0 });
});

const toRefresh = new Map();
let refreshing = null;

/** News come as UIDs and counts only; the row itself is asked for, several together. */
function heard(message) {
  if (message.type !== "study.changed") return;
  toRefresh.set(keyOf(message), message);
  clearTimeout(refreshing);
  refreshing = setTimeout(refresh, 400);
}

async function refresh() {
  const messages = [...toRefresh.values()];
  toRefresh.clear();
  const listed = messages.filter((message) => table.has(message));
  for (const message of messages) if (!table.has(message)) newer.add(keyOf(message));
  if (table.rows.size === 0 && newer.size) return ask();
  tellNews();
  await Promise.all(listed.slice(0, 20).map(refreshOne));
  return undefined;
}

async function refreshOne({ study_instance_uid, organization }) {
  const answer = await fetch(requestOf({ fields: { q: study_instance_uid, organization }, sort: USUAL_SORT })).catch(() => null);
  if (!answer?.ok) return;
  const { studies } = await answer.json();
  const study = studies.find((one) => one.study_instance_uid === study_instance_uid && one.organization === organization);
  if (study) table.update(study, true);
}

listenToNews(heard, () => {
  if (table.rows.size <= PAGE && !document.activeElement?.closest("#rows")) ask();
});

// --- begin

if (FIELDS.slice(1).some((name) => search.fields[name])) form.querySelector("details").open = true;
fill();
tellSearch();
ask();
