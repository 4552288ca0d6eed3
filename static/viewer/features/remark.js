// A sentence that stands on a pane for a moment, for what nothing else on the screen shows. Imports nothing.

const SECONDS = 5;
const timers = new WeakMap();

/** Says `text` on a pane, to eyes and to screen readers; `trouble` marks it as something that went wrong. */
export function remark(viewport, text, { trouble = false } = {}) {
  const { stage } = viewport;
  let element = stage.querySelector(":scope > .remark");
  if (!element) {
    element = document.createElement("div");
    element.className = "remark";
    element.setAttribute("role", "status");
    stage.append(element);
  }
  element.textContent = text;
  element.toggleAttribute("data-trouble", trouble);
  element.hidden = false;
  clearTimeout(timers.get(viewport));
  timers.set(viewport, setTimeout(() => (element.hidden = true), SECONDS * 1000));
}
