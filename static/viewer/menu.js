// A button with a list of choices under it. Imports nothing.

export function make(tag, className, parent, attributes = {}) {
  const element = document.createElement(tag);
  element.className = className;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  parent?.append(element);
  return element;
}

/** A button that opens a list of choices under it; arrows walk, Escape closes. */
export class Menu {
  constructor(bar, { label, icon, name, fill, className = "tool" }) {
    this.fill = fill;
    this.holder = make("div", "menu", bar, { "data-menu": name });
    this.button = make("button", className, this.holder, { type: "button", "aria-haspopup": "menu", "aria-expanded": "false", "aria-label": label, title: label });
    this.button.append(icon);
    this.list = make("div", "choices", this.holder, { role: "menu", "aria-label": label });
    this.list.hidden = true;
    this.button.addEventListener("click", () => (this.list.hidden ? this.open() : this.close()));
    this.list.addEventListener("keydown", (event) => this.#walk(event));
    // The one that has the focus is the one that Tab would reach.
    this.list.addEventListener("focusin", ({ target }) => {
      for (const item of this.list.querySelectorAll("[role^=menuitem]")) item.tabIndex = item === target ? 0 : -1;
    });
  }

  open() {
    this.list.replaceChildren();
    this.fill(this);
    this.list.hidden = false;
    this.button.setAttribute("aria-expanded", "true");
    this.shown = new AbortController();
    document.addEventListener("pointerdown", (event) => !this.holder.contains(event.target) && this.close(false), { capture: true, signal: this.shown.signal });
    (this.list.querySelector("[aria-checked=true]") ?? this.list.querySelector("button"))?.focus();
  }

  close(back = true) {
    if (this.list.hidden) return false;
    this.list.hidden = true;
    this.shown?.abort();
    this.button.setAttribute("aria-expanded", "false");
    if (back) this.button.focus();
    return true;
  }

  item({ label, detail = "", key = "", icon = null, checked = null, run }) {
    const role = checked === null ? "menuitem" : "menuitemradio";
    const item = make("button", "choice", this.list, { type: "button", role, tabindex: "-1" });
    if (checked !== null) item.setAttribute("aria-checked", String(checked));
    if (icon) item.append(icon);
    make("span", "what", item).textContent = label;
    if (detail) make("span", "detail", item).textContent = detail;
    if (key) make("kbd", "", item).textContent = key;
    item.addEventListener("click", () => {
      this.close();
      run();
    });
  }

  heading(text) {
    make("div", "heading", this.list, { role: "presentation" }).textContent = text;
  }

  note(text) {
    make("p", "note", this.list, { role: "presentation" }).textContent = text;
  }

  #walk(event) {
    const items = [...this.list.querySelectorAll("button")];
    const at = items.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (event.key === "Escape" || event.key === "Tab") this.close();
    else if (to !== undefined) items[(to + items.length) % items.length]?.focus();
    else if (event.key === "Enter" || event.key === " ") return event.stopPropagation();
    else return undefined;
    event.preventDefault();
    event.stopPropagation();
    return undefined;
  }
}
