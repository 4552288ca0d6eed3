// The dialog in which a reader gives commands other keys.

import { t } from "../../../i18n.js";
import { KEY_MAP_TITLES, KEY_MAPS, keyLabel, pressed, rebind } from "../../keys.js";
import { make } from "../../menu.js";

const ONLY_MODIFIERS = new Set(["Shift", "Control", "Alt", "Meta", "CapsLock", "Dead", "Process"]);

/** Opens the dialog. @param chosen {map, changed} as kept @param save called with the same, changed */
export function keysDialog(workbench, chosen, save) {
  const dialog = make("dialog", "help keys-dialog", document.body, { "aria-labelledby": "keys-title" });
  const editor = new Editor(workbench, dialog, chosen, save);
  dialog.addEventListener("close", () => dialog.remove());
  editor.draw();
  dialog.showModal();
  return dialog;
}

class Editor {
  constructor(workbench, dialog, chosen, save) {
    this.workbench = workbench;
    this.dialog = dialog;
    this.name = workbench.keyMap;
    this.changed = structuredClone(chosen.changed ?? {});
    this.save = save;
    this.waiting = null;
    dialog.addEventListener("keydown", (event) => this.waiting && this.#take(event), { capture: true });
  }

  draw() {
    const head = make("header", "");
    make("h2", "", head, { id: "keys-title" }).textContent = t("Your keys");
    head.append(this.#maps());
    this.#button(head, t("As delivered"), () => this.#reset());
    this.#button(head, t("Close"), () => this.dialog.close());
    this.told = make("p", "told", null, { role: "status" });
    this.told.textContent = t("Choose a command, then press the key that it is to have.");
    const table = make("table", "bindings");
    for (const row of this.#commands()) this.#row(table, row);
    this.dialog.replaceChildren(head, this.told, table);
  }

  #maps() {
    const select = make("select", "", null, { "aria-label": t("Key map") });
    for (const [name, title] of Object.entries(KEY_MAP_TITLES)) select.add(new Option(title, name, false, name === this.name));
    select.addEventListener("change", () => {
      this.name = select.value;
      this.workbench.keyMap = this.name;
      this.workbench.remembered.set("keys", this.name);
      this.#keep();
      this.draw();
    });
    return select;
  }

  #button(parent, words, act) {
    const button = make("button", "button", parent, { type: "button" });
    button.textContent = words;
    button.addEventListener("click", act);
    return button;
  }

  /** Every command that has a key in any map: [command, argument, keys here]. */
  #commands() {
    const rows = new Map();
    for (const map of [KEY_MAPS[this.name], ...Object.values(KEY_MAPS)]) {
      for (const [, command, argument] of map) {
        const id = JSON.stringify([command, argument]);
        if (!rows.has(id)) rows.set(id, [command, argument, KEY_MAPS[this.name].filter(([, name, value]) => name === command && value === argument).map(([key]) => key)]);
      }
    }
    return [...rows.values()].sort((a, b) => this.#words(a).localeCompare(this.#words(b)));
  }

  #words([command, argument]) {
    return this.workbench.toolbar.meaning(command, argument);
  }

  #row(table, [command, argument, keys]) {
    const row = make("tr", "", table);
    make("th", "", row, { scope: "row" }).textContent = this.#words([command, argument]);
    const cell = make("td", "", row);
    for (const key of keys) {
      const chip = this.#button(cell, keyLabel(key), () => this.#change({ [key]: null }));
      chip.className = "key";
      chip.title = t("Take this key away");
    }
    const change = this.#button(make("td", "", row), t("Add a key"), () => {
      this.waiting = { command, argument, change };
      change.textContent = t("Press a key…");
      this.told.textContent = t("Press the key for “{command}”; Escape leaves everything as it is.", { command: this.#words([command, argument]) });
    });
  }

  #take(event) {
    if (ONLY_MODIFIERS.has(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    const { command, argument } = this.waiting;
    this.waiting = null;
    const key = pressed(event);
    if (event.key === "Escape") return this.draw();
    const before = KEY_MAPS[this.name].find(([named]) => named === key);
    this.#change({ [key]: argument === undefined ? [command] : [command, argument] });
    const words = { key: keyLabel(key), command: this.#words([command, argument]) };
    this.told.textContent = before
      ? t("{key} now means “{command}” and no longer “{before}”.", { ...words, before: this.#words(before.slice(1)) })
      : t("{key} now means “{command}”.", words);
    return undefined;
  }

  #change(part) {
    this.changed[this.name] = { ...this.changed[this.name], ...part };
    rebind(this.name, this.changed[this.name]);
    this.#keep();
    this.draw();
  }

  #reset() {
    delete this.changed[this.name];
    rebind(this.name, {});
    this.#keep();
    this.draw();
  }

  #keep() {
    this.save({ map: this.name, changed: this.changed });
  }
}
