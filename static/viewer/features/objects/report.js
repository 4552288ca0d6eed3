// A report as a page reads it: a tree that folds, a table of doses. Everything that a file says is text and nothing else.

import { t, told } from "../../../i18n.js";
import { make } from "../../menu.js";
import { itemsUnder, valueOf } from "./words.js";

/** What holds fewer items is shown unfolded; so is the first level, whatever it holds. */
const SHORT = 80;

const put = (tag, className, parent, text) => {
  const element = make(tag, className, parent);
  element.textContent = text;
  return element;
};

/** Draws a document of `/api/instances/{uid}/document/` into `parent`. @param refer makes what leads to a reference, or null */
export function drawReport(parent, document, refer) {
  const { facts = [], notes = [], note = "", references, table, tree } = document;
  drawFacts(parent, table?.facts ?? facts);
  for (const one of [...notes, ...(table?.notes ?? [])].filter((text, at, all) => all.indexOf(text) === at)) put("p", "note", parent, told(one));
  if (note) put("p", "told", parent, note);
  if (table) drawDose(parent, table);
  if (references) drawReferences(parent, references, refer);
  if (tree) drawTree(parent, tree, refer, Boolean(table || references));
}

function drawFacts(parent, facts) {
  if (!facts.length) return;
  const list = make("dl", "facts", parent);
  for (const { name, value } of facts) {
    put("dt", "", list, name);
    put("dd", "", list, value);
  }
}

// --- the tree

function drawTree(parent, tree, refer, aside) {
  if (!tree.children?.length) {
    put("p", "quiet", parent, t("This report says nothing."));
    return;
  }
  const whole = aside ? make("details", "", parent) : make("div", "", parent);
  if (aside) put("summary", "", whole, t("The whole object"));
  const bar = make("div", "row", whole);
  const list = make("ul", "report-tree", whole);
  for (const [label, open] of [[t("Unfold all"), true], [t("Fold all"), false]]) {
    const button = put("button", "small", bar, label);
    button.type = "button";
    button.addEventListener("click", () => unfold(list, open));
  }
  for (const node of tree.children) drawItem(list, node, refer, true);
}

/** Items are made when they are unfolded first: a report may have thousands. */
function drawItem(list, node, refer, first = false) {
  const row = make("li", node.type, list);
  if (!node.children?.length) {
    drawLine(row, node, refer);
    return;
  }
  const fold = make("details", "", row);
  const summary = make("summary", "", fold);
  drawLine(summary, node, refer);
  const under = make("ul", "", fold);
  const fill = () => {
    if (!under.children.length) for (const child of node.children) drawItem(under, child, refer);
  };
  fold.addEventListener("toggle", () => fold.open && fill());
  const items = itemsUnder(node, 1000);
  if (first || items < SHORT) {
    fill();
    fold.open = true;
  }
  if (items >= SHORT) put("span", "quiet many", summary, t("{n} items", { n: items }));
}

function drawLine(parent, node, refer) {
  const line = make("span", "item", parent);
  const value = valueOf(node);
  if (node.name) put("span", "name", line, node.name);
  if (value) put("span", `value ${node.type}`, line, value);
  if (node.reference) line.append(refer(node.reference));
  if (!node.name && !value && !node.reference) put("span", "quiet", line, t("(without words)"));
}

/** Opening an item makes the ones under it, which are opened too; as many as a page bears. */
function unfold(list, open) {
  const most = 3000;
  if (!open) {
    for (const fold of list.querySelectorAll("details")) fold.open = false;
    return;
  }
  for (let round = 0; round < 100; round += 1) {
    const shut = [...list.querySelectorAll("details:not([open])")];
    if (!shut.length || list.querySelectorAll("li").length > most) return;
    for (const fold of shut) {
      fold.open = true;
      fold.dispatchEvent(new Event("toggle"));
    }
  }
}

// --- tables

function drawDose(parent, { totals = [], events }) {
  if (totals.length) {
    put("h3", "", parent, t("Totals"));
    const table = make("table", "dose", make("div", "scroll", parent));
    for (const { name, value, unit, of } of totals) {
      const row = make("tr", "", make("tbody", "", table));
      const head = put("th", "", row, [told(name), told(of)].filter(Boolean).join(", "));
      head.scope = "row";
      put("td", "number", row, [value, unit].filter(Boolean).join(" "));
    }
  }
  if (!events?.rows?.length) return;
  put("h3", "", parent, events.rows.length === 1 ? t("1 irradiation event") : t("{n} irradiation events", { n: events.rows.length }));
  const table = make("table", "dose events", make("div", "scroll", parent));
  const heads = make("tr", "", make("thead", "", table));
  for (const name of events.columns) put("th", "", heads, told(name)).scope = "col";
  const body = make("tbody", "", table);
  for (const cells of events.rows) {
    const row = make("tr", "", body);
    for (const cell of cells) put("td", /^[-+\d.]/.test(cell?.value ?? "") ? "number" : "", row, cell ? [cell.value, cell.unit].filter(Boolean).join(" ") : "");
  }
}

function drawReferences(parent, references, refer) {
  put("h3", "", parent, t("{n} selected", { n: references.length }));
  const list = make("ol", "references", parent);
  for (const reference of references) make("li", "", list).append(refer(reference));
}
