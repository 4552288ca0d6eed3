// Keys while a report is written: such that browsers leave to pages, and that work with the hands on the letters.

import { dialogOf } from "../dialog.js";
import { t } from "../i18n.js";
import { make } from "../viewer/menu.js";
import { keyLabel, pressed } from "../viewer/keys.js";

/** [key, command, what it does]. */
export const KEYS = [
  ["F7", "macros", () => t("Macros: choose, make, change")],
  ["Shift+F7", "new-macro", () => t("Make a macro of what is selected")],
  ["F8", "next-field", () => t("Next field")],
  ["Shift+F8", "previous-field", () => t("Field before")],
  ["F9", "next-place", () => t("Next place that waits to be filled: [ ], ***, a needed field")],
  ["Shift+F9", "previous-place", () => t("The place before")],
  ["F2", "newest-measurement", () => t("Insert the newest measurement")],
  ["Shift+F2", "newest-key-image", () => t("Insert the newest key image")],
  ["F4", "pick", () => t("Choose a measurement or key image to insert")],
  ["Shift+F4", "critical", () => t("Record a critical result")],
  ["Alt+Enter", "show-link", () => t("Show the picture of the link at the caret")],
  ["Ctrl+s", "save", () => t("Save now (it saves by itself)")],
  ["Ctrl+Enter", "sign", () => t("Sign")],
  ["Escape", "pictures", () => t("Back to the pictures")],
];

/** The command of a key press, or null. */
export function commandOf(event) {
  if (event.isComposing) return null;
  const name = `${event.altKey ? "Alt+" : ""}${pressed(event)}`;
  return KEYS.find(([key]) => key === name)?.[1] ?? null;
}

export const keyOf = (command) => keyLabel(KEYS.find(([, name]) => name === command)?.[0] ?? "");

/** The sheet that lists them. */
export function showKeys(icon) {
  const dialog = dialogOf({ title: t("Keys while writing"), className: "keys-of-report", icon });
  const list = make("dl", "", dialog);
  const rows = [...KEYS.map(([key, , words]) => [keyLabel(key), words()]), [t("Tab"), t("Next control")], [t("shortcut, then Space"), t("Writes out a macro; undo takes it back")]];
  for (const [key, words] of rows) {
    const row = make("div", "", list);
    make("kbd", "", make("dt", "", row)).textContent = key;
    make("dd", "", row).textContent = words;
  }
  dialog.showModal();
}
