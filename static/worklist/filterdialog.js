// All filters that a reader sees, in a dialog: their own to be renamed, shared and deleted, others' to be looked at.

import { dialogOf, openForm } from "../dialog.js";
import { t } from "../i18n.js";
import { make } from "../viewer/menu.js";
import { TABS } from "./tabs.js";

const SORTS = { due: t("Due first"), waiting: t("Longest waiting first"), patient: t("Patient"), newest: t("Newest first") };

/** Whom a filter can be for: [value, words]. */
export const forWhom = (organizations) => [["", t("for me")], ...organizations.map(([name, title]) => [name, t("everybody at {organization}", { organization: title })])];

/** What a filter asks, in words. */
export function asked({ tab = "unread", sort = "", ...rest }) {
  const words = TABS.find(([name]) => name === tab)?.[1] ?? tab;
  return [words, ...Object.values(rest), SORTS[sort] ?? ""].filter(Boolean).join(" · ");
}

/** Opens it; resolves to the filters as they are once it is closed. @param keep saves one, resolves to it @param forget deletes one */
export function manageFilters({ filters, organizations, icon, keep, forget }) {
  const dialog = dialogOf({ title: t("Saved filters"), className: "filters", icon });
  const told = make("p", "wrong", dialog, { role: "alert" });
  const list = make("ul", "filter-list", dialog);
  let now = [...filters];

  function draw() {
    list.replaceChildren(...now.map(row));
  }

  function row(filter) {
    const item = make("li", "filter-row", null, { "data-filter": String(filter.id) });
    const words = make("div", "words", item);
    make("strong", "", words, { dir: "auto" }).textContent = filter.name;
    make("span", "quiet", words, { dir: "auto" }).textContent = asked(filter.query ?? {});
    const shared = organizations.find(([name]) => name === filter.shared_with)?.[1] ?? filter.shared_with;
    const whose = filter.owner.mine ? (shared ? t("yours, for everybody at {organization}", { organization: shared }) : t("yours")) : t("shared by {name}", { name: filter.owner.name });
    make("span", "quiet", words).textContent = filter.gone ? t("deleted") : whose;
    if (filter.gone) button(item, t("Put it back"), () => change(filter, () => keep(filter)));
    else if (filter.owner.mine) {
      button(item, t("Change…"), () => edit(filter));
      button(item, t("Delete"), () => change(filter, async () => ((await forget(filter)), { ...filter, gone: true })));
    }
    return item;
  }

  function button(item, label, run) {
    const made = make("button", "", item, { type: "button", "aria-label": `${label} ${item.querySelector("strong").textContent}` });
    made.textContent = label;
    made.addEventListener("click", run);
  }

  /** Puts what `work` resolves to in the place of a filter; the hand stays where it was. */
  async function change(filter, work) {
    told.textContent = "";
    try {
      const made = await work();
      now = now.map((one) => (one === filter ? made : one));
      draw();
      list.querySelector(`[data-filter="${made.id}"] button`)?.focus();
    } catch (problem) {
      told.textContent = problem.message;
    }
  }

  async function edit(filter) {
    const made = await openForm({
      title: t("Change the filter {name}", { name: filter.name }),
      lead: asked(filter.query ?? {}),
      fields: [
        { name: "name", label: t("Name"), kind: "text", needed: true, value: filter.name, most: 100 },
        { name: "shared_with", label: t("For whom"), kind: "select", options: forWhom(organizations), value: filter.shared_with ?? "" },
      ],
      go: t("Change"),
      send: (values) => renamed(filter, values),
    });
    if (made) change(filter, async () => made);
  }

  async function renamed(filter, values) {
    const other = now.find(({ id, name, owner, gone }) => id !== filter.id && owner.mine && !gone && name === values.name);
    if (other) throw new Error(t("You have a filter of that name already."));
    const made = await keep({ ...filter, ...values });
    if (made.id !== filter.id) await forget(filter);
    return made;
  }

  draw();
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(now.filter(({ gone }) => !gone))));
}
