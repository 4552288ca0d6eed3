// The word on panes that go together.

import { make } from "../../menu.js";

/** Shows `text` beside the other marks of a pane; "" takes it away. */
export function showMark(viewport, text, explained, icon) {
  const { marks } = viewport.overlay;
  let mark = marks.querySelector(".linked");
  if (!mark) {
    mark = make("span", "mark linked", marks);
    mark.append(icon("link-2"), make("span", "word", null));
  }
  const word = mark.lastElementChild;
  mark.hidden = !text;
  mark.title = explained;
  if (word.textContent !== text) word.textContent = text;
}
