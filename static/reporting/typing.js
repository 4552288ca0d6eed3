// Macros while typing: the shortcut before the caret is written out when a space follows it. Undoing leaves the shortcut alone.

import { expand, shortcutBefore } from "./macros.js";
import { placesOf } from "./places.js";
import { parse } from "./chips.js";

export class Typing {
  /** @param macros () => {shortcut: text} */
  constructor(editor, { macros, say }) {
    Object.assign(this, { editor, macros, say });
    this.left = null;
    editor.element.addEventListener("beforeinput", (event) => this.#space(event), { capture: true });
    editor.addEventListener("typed", ({ detail: { row, inputType } }) => {
      if (inputType.startsWith("history")) this.left = row.text ? row.text.area : null;
    });
  }

  #space(event) {
    if (event.inputType !== "insertText" || event.data !== " " || event.isComposing) return;
    const row = this.editor.rowOf(event.target);
    const area = row?.text?.area;
    if (area !== event.target || area.selectionStart !== area.selectionEnd) return;
    const undone = this.left === area;
    this.left = null;
    if (undone) return;
    const found = shortcutBefore(area.value, area.selectionStart, this.macros());
    if (!found) return;
    event.preventDefault();
    this.write(row, found.start, area.selectionStart, this.macros()[found.shortcut], found.shortcut);
  }

  /** Puts a macro's text in place of [start, end) and goes to the first place in it that waits. */
  write(row, start, end, text, shortcut) {
    const { text: raw } = expand(text, this.macros());
    row.text.area.setSelectionRange(start, end);
    const at = row.text.insert(raw);
    const [place] = placesOf(parse(raw).text);
    if (place) row.text.focus(at + place.start, at + place.end);
    this.say(shortcut);
  }
}
