// The tabs above the list: the usual ones with their counts, then the reader's own and shared filters.

import { openForm } from "../dialog.js";
import { t } from "../i18n.js";
import { rest } from "../viewer/features/rest.js";
import { make } from "../viewer/menu.js";
import { forWhom, manageFilters } from "./filterdialog.js";
import { kept, same, searchOf } from "./search.js";
import { TABS } from "./tabs.js";

const DOOR = "/api/worklist/filters/";

export class Filters {
  /** @param element the tab list @param go called with the search of a tab @param button that opens the list of all filters */
  constructor(element, { icon, go, button }) {
    Object.assign(this, { element, icon, go, button });
    this.filters = [];
    this.counts = {};
  }

  tell({ filters = this.filters, counts = this.counts }, search) {
    this.filters = filters;
    this.counts = counts;
    this.show(search);
  }

  show(search) {
    const held = document.activeElement?.dataset?.name;
    this.element.replaceChildren();
    for (const [tab, words] of TABS) {
      const plain = searchOf(`tab=${tab}`);
      this.#tab(words, `tab:${tab}`, same(plain, search), this.counts[tab], () => this.go(plain));
    }
    for (const filter of this.filters) {
      const wanted = searchOf(new URLSearchParams(filter.query ?? {}).toString());
      this.#tab(filter.name, `filter:${filter.id}`, same(wanted, search), undefined, () => this.go(wanted)).classList.add("saved");
    }
    this.button.hidden = !this.filters.length;
    if (held) [...this.element.querySelectorAll("button")].find(({ dataset }) => dataset.name === held)?.focus();
  }

  /** Keeps what is asked now under a name. */
  async save(search, organizations) {
    const made = await openForm({
      title: t("Keep this filter"),
      fields: [
        { name: "name", label: t("Name"), kind: "text", needed: true, most: 100 },
        { name: "shared_with", label: t("For whom"), kind: "select", options: forWhom(organizations) },
      ],
      go: t("Keep"),
      send: ({ name, shared_with: shared }) => keep({ name, query: kept(search), shared_with: shared }),
    });
    if (!made) return;
    this.filters = [...this.filters.filter(({ id }) => id !== made.id), made];
    this.show(search);
  }

  /** The list of all filters: to rename, share and delete one's own. */
  async manage(search, organizations) {
    if (!this.filters.length) return;
    this.filters = await manageFilters({ filters: this.filters, organizations, icon: this.icon, keep, forget });
    this.show(search);
  }

  #tab(words, name, now, count, act) {
    const button = make("button", "tab", this.element, { type: "button", "data-name": name, "aria-pressed": String(now), dir: "auto" });
    button.textContent = words;
    if (count !== undefined) make("span", "count", button).textContent = String(count);
    button.addEventListener("click", act);
    return button;
  }
}

function keep({ name, query, shared_with: shared, position }) {
  return rest(DOOR, { method: "POST", body: { name, query, ...(shared ? { shared_with: shared } : {}), ...(position ? { position } : {}) } });
}

const forget = ({ id }) => rest(`${DOOR}${id}/`, { method: "DELETE" });
