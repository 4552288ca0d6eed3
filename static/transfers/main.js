// The page of transfers: what is on its way to other archives and from them, live, with what can be done about it.

import { t } from "../i18n.js";
import { listenToNews } from "../news.js";
import { rest } from "../viewer/features/rest.js";
import { fetchDialog } from "./dialogs.js";
import { Row } from "./row.js";

const at = (id) => document.getElementById(id);
const PAUSE = 300;
const SETTLED = ["done", "given_up", "cancelled"];

const rows = new Map();
let next = null;
let waiting = null;
let asked = 0;

// --- asking

const address = (before) => `/api/transfers/?${new URLSearchParams({ ...(at("waiting").checked ? { waiting: "1" } : {}), ...(before ? { before } : {}) })}`;

async function load(before = null) {
  asked += 1;
  const own = asked;
  try {
    const page = await rest(address(before));
    if (own === asked || before) show(page, Boolean(before));
  } catch (problem) {
    at("failure").hidden = false;
    at("failure-text").textContent = problem.message;
  }
}

function show(page, further) {
  at("failure").hidden = true;
  next = page.next;
  const told = new Set(page.transfers.map(({ id }) => id));
  if (!further) for (const [id, row] of rows) if (!told.has(id)) remove(id, row);
  const list = at("rows");
  const found = page.transfers.map((transfer) => {
    const row = rows.get(transfer.id) ?? new Row(act);
    rows.set(transfer.id, row);
    row.fill(transfer);
    return row.element;
  });
  if (further) list.append(...found);
  else found.forEach((element, place) => list.children[place] !== element && list.insertBefore(element, list.children[place] ?? null));
  words(page.waiting);
}

function remove(id, row) {
  row.element.remove();
  rows.delete(id);
}

function words(count) {
  at("empty").hidden = rows.size > 0;
  at("more").hidden = !next;
  at("count").textContent = count === 0 ? t("nothing waits") : (count === 1 ? t("1 waits or runs") : t("{n} wait or run", { n: count }));
}

function soon() {
  clearTimeout(waiting);
  waiting = setTimeout(load, PAUSE);
}

// --- what can be done

async function act(transfer, what) {
  try {
    rows.get(transfer.id)?.fill(await rest(`/api/transfers/${transfer.id}/${what}/`, { method: "POST" }));
    load();
  } catch (problem) {
    rows.get(transfer.id)?.say(problem.message);
  }
}

at("fetch").addEventListener("click", async () => (await fetchDialog()) && load());
at("waiting").addEventListener("change", () => load());
at("again").addEventListener("click", () => load());
at("more").addEventListener("click", () => next && load(next));
at("rows").addEventListener("keydown", (event) => {
  const items = [...at("rows").children];
  const now = items.indexOf(event.target.closest("li"));
  const to = { ArrowDown: now + 1, ArrowUp: now - 1 }[event.key];
  if (to === undefined || !items[to]) return;
  event.preventDefault();
  (items[to].querySelector("a, button") ?? items[to]).focus();
});

// --- news: numbers at once, words when it ends

function heard(message) {
  if (message.type !== "transfer.changed") return;
  const known = rows.get(message.transfer);
  if (known) known.move(message);
  if (!known || SETTLED.includes(message.state) || message.state !== known.state) soon();
}

listenToNews(heard, () => load());
load();
