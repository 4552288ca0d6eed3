// The tabs above the list: the usual ones with their counts, then the reader's own and shared filters.

import { t } from "../i18n.js";
import { rest } from "../viewer/features/rest.js";
import { make } from "../viewer/menu.js";
import { ask } from "./ask.js";
import { kept, same, searchOf } from "./search.js";

const DOOR = "/api/worklist/filters/";

/** [tab, words]; the server counts the items of all but those that are done. */
export const TABS = [
  ["unread", t("To read")],
  ["mine", t("Mine")],
  ["cosign", t("Preliminary")],
  ["quality", t("Quality control")],
  ["scheduled", t("Scheduled")],
  ["done", t("Done")],
];

export class Filters {
  /** @param element the tab list @param go called with the search of a tab */
  constructor(element, { icon, go }) {
    this.element = element;
    this.icon = icon;
    this.go = go;
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
      const holder = this.#tab(filter.name, `filter:${filter.id}`, same(wanted, search), undefined, () => this.go(wanted));
      if (filter.owner?.mine) this.#drop(holder, filter, search);
    }
    if (held) [...this.element.querySelectorAll("button")].find(({ dataset }) => dataset.name === held)?.focus();
  }

  /** Keeps what is asked now under a name. */
  async save(search, organizations) {
    const done = await ask({
      title: t("Keep this filter"),
      fields: [
        { name: "name", label: t("Name"), kind: "text", required: true },
        { name: "organization", label: t("For whom"), kind: "choice", choices: [["", t("for me")], ...organizations.map(([name, title]) => [name, t("everybody at {organization}", { organization: title })])] },
      ],
      go: t("Keep"),
      send: ({ name, organization }) => rest(DOOR, { method: "POST", body: { name, query: kept(search), ...(organization ? { shared_with: organization } : {}) } }),
    });
    if (!done) return;
    this.filters = [...this.filters.filter(({ id }) => id !== done.said.id), done.said];
    this.show(search);
  }

  #tab(words, name, now, count, act) {
    const holder = make("span", "tab", this.element);
    const button = make("button", "", holder, { type: "button", "data-name": name, "aria-pressed": String(now), dir: "auto" });
    button.textContent = words;
    if (count !== undefined) make("span", "count", button).textContent = String(count);
    button.addEventListener("click", act);
    return holder;
  }

  #drop(holder, filter, search) {
    const button = make("button", "plain", holder, { type: "button", "data-name": `drop:${filter.id}`, "aria-label": t("Forget the filter {name}", { name: filter.name }), title: t("Forget the filter {name}", { name: filter.name }) });
    button.append(this.icon("x"));
    button.addEventListener("click", async () => {
      await rest(`${DOOR}${filter.id}/`, { method: "DELETE" }).catch(() => null);
      this.filters = this.filters.filter(({ id }) => id !== filter.id);
      this.show(search);
    });
  }
}
