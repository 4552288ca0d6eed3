// Macros in a dialog: found by typing and put in by Enter; made, from a selection too, changed and deleted. A site's by those who
// administer it.

import { dialogOf, openForm } from "../dialog.js";
import { t } from "../i18n.js";
import { make } from "../viewer/menu.js";
import { narrowed } from "./narrowing.js";

const DOOR = "/api/macros/";
const SHORT = 160;

/** The reader's macros, their own first. */
export const macrosOf = (ask) => ask(DOOR).then(({ macros = [] }) => macros);

/** Opens the list; resolves to the macro that is to be put in, or to null.
 *  @param parts {ask, me, icon, macros, selected: the text that a new one begins with, making: whether to begin with that, changed(macros)} */
export function chooseMacro({ ask, me, icon, macros, selected = "", making = false, changed }) {
  const dialog = dialogOf({ title: t("Macros"), className: "macros", icon });
  const search = make("input", "", dialog, { type: "search", placeholder: t("Narrow the list"), "aria-label": t("Narrow the list"), autocomplete: "off", spellcheck: "false" });
  const list = make("ul", "macro-list", dialog);
  const told = make("p", "quiet", dialog, { role: "status" });
  const row = make("div", "row", dialog);
  button(row, t("New macro…"), () => edit(null));
  let now = [...macros];
  let chosen = null;

  function draw() {
    const wanted = search.value.trim().toLowerCase();
    const found = now.filter(({ shortcut, text, spoken_name: spoken }) => `${shortcut} ${spoken} ${text}`.toLowerCase().includes(wanted));
    list.replaceChildren(...found.map(drawn));
    told.textContent = now.length ? (found.length ? "" : t("No macro of that name.")) : t("No macro yet. A shortcut stands for a text: type it and a space, or choose it here.");
  }

  function drawn(macro) {
    const { shortcut, text, organization, may_change: mine, gone } = macro;
    const item = make("li", "macro-row", null, { "data-macro": shortcut });
    const take = make("button", "template-row", item, { type: "button" });
    make("strong", "", take, { dir: "auto" }).textContent = shortcut;
    make("span", "macro-text", take, { dir: "auto" }).textContent = text.length > SHORT ? `${text.slice(0, SHORT)}…` : text;
    make("span", "quiet", take).textContent = gone ? t("deleted") : organization ? t("of {organization}", { organization }) : t("yours");
    take.disabled = Boolean(gone);
    take.addEventListener("click", () => {
      chosen = macro;
      dialog.close();
    });
    if (gone) button(item, t("Put it back"), () => change(macro, () => kept(macro)), shortcut);
    else if (mine) {
      button(item, t("Change…"), () => edit(macro), shortcut);
      button(item, t("Delete"), () => change(macro, async () => ((await dropped(macro)), { ...macro, gone: true })), shortcut);
    }
    return item;
  }

  function tell(macro, made) {
    now = macro ? now.map((one) => (one === macro ? made : one)) : [made, ...now];
    changed(now.filter(({ gone }) => !gone));
    draw();
    const place = list.querySelector(`[data-macro="${CSS.escape(made.shortcut)}"]`);
    (place?.querySelector("button:enabled") ?? search).focus();
  }

  async function change(macro, work) {
    try {
      tell(macro, await work());
    } catch (problem) {
      told.textContent = problem.message;
    }
  }

  async function edit(macro) {
    const made = await askMacro({ macro, text: macro ? macro.text : selected, me, send: (values) => renamed(macro, values) });
    if (made) tell(macro, made);
  }

  async function renamed(macro, values) {
    const whose = values.organization || null;
    const other = now.find((one) => one !== macro && !one.gone && one.shortcut === values.shortcut && one.organization === whose);
    if (other) throw new Error(t("There is a macro {shortcut} already. Change that one.", { shortcut: other.shortcut }));
    const made = await kept(values);
    if (macro && made.id !== macro.id) await dropped(macro);
    return made;
  }

  const kept = ({ shortcut, text, spoken_name: spoken, organization }) => ask(DOOR, { method: "POST", body: { shortcut, text, spoken_name: spoken, ...(organization ? { organization } : {}) } });
  const dropped = ({ id }) => ask(`${DOOR}${id}/`, { method: "DELETE" });

  narrowed(search, list, ".template-row:enabled", draw);
  draw();
  dialog.showModal();
  search.focus();
  if (making) edit(null).then(() => dialog.close());
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(chosen)));
}

function button(parent, label, run, name = "") {
  const made = make("button", "", parent, { type: "button", ...(name ? { "aria-label": `${label} ${name}` } : {}) });
  made.textContent = label;
  made.addEventListener("click", run);
}

/** Asks what a macro is to be; resolves to it as it is kept, or to null. */
function askMacro({ macro, text, me, send }) {
  const sites = me.organizations.filter(({ roles }) => roles.includes("admin")).map(({ name, title }) => [name, t("everybody at {organization}", { organization: title || name })]);
  return openForm({
    title: macro ? t("Change the macro {shortcut}", { shortcut: macro.shortcut }) : t("New macro"),
    lead: t("Type the shortcut and a space, and the text stands in its place. [ ] in it is a place to be filled, {example} another macro.", { example: "{shortcut}" }),
    fields: [
      { name: "shortcut", kind: "text", label: t("Shortcut"), needed: true, value: macro?.shortcut ?? "", most: 32, hint: t("2 characters or more, without spaces") },
      { name: "text", kind: "area", label: t("Text"), needed: true, value: text, most: 8000 },
      { name: "spoken_name", kind: "text", label: t("Name for dictation"), value: macro?.spoken_name ?? "", most: 100 },
      ...(sites.length ? [{ name: "organization", kind: "select", label: t("For whom"), options: [["", t("for me")], ...sites], value: macro?.organization ?? "" }] : []),
    ],
    go: t("Keep"),
    send,
  });
}
