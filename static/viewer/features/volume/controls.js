// The small parts of the 3D panel. Everything is built once and then told what to show: a slider that is held must not be
// taken out of the hand.

import { make } from "../../menu.js";

export function section(parent, title) {
  const element = make("section", "space-part", parent);
  make("h3", "", element).textContent = title;
  return element;
}

/** Buttons of which one is on. @returns {show(value, items)}: items [{value, label, title}] */
export function choice(parent, label, pick) {
  const row = make("div", "choice-row", parent, { role: "group", "aria-label": label });
  let written = "";
  return {
    element: row,
    show(value, items) {
      const wanted = items.map((one) => one.value).join("|");
      if (wanted !== written) {
        written = wanted;
        row.replaceChildren(
          ...items.map((one) => {
            const button = make("button", "pick", null, { type: "button", "data-value": one.value });
            button.textContent = one.label;
            if (one.title) button.title = one.title;
            button.addEventListener("click", () => pick(one.value));
            return button;
          }),
        );
      }
      for (const button of row.children) button.setAttribute("aria-pressed", String(button.dataset.value === value));
    },
  };
}

/** A slider with its value in words. @returns {show(value, {min, max, step, text, disabled})} */
export function range(parent, label, slide) {
  const row = make("label", "range", parent);
  const name = make("span", "name", row);
  name.textContent = label;
  const input = make("input", "", row, { type: "range" });
  const output = make("output", "", row);
  input.addEventListener("input", () => slide(Number(input.value)));
  return {
    element: row,
    input,
    show(value, { min = 0, max = 100, step = 1, text = String(value), disabled = false, title = "" } = {}) {
      for (const [key, now] of Object.entries({ min, max, step })) if (input.getAttribute(key) !== String(now)) input.setAttribute(key, now);
      if (document.activeElement !== input || Math.abs(Number(input.value) - value) > step) input.value = String(value);
      input.disabled = disabled;
      input.setAttribute("aria-valuetext", text);
      row.title = title;
      output.textContent = text;
    },
  };
}

/** A number to type. @returns {show(value, text)} */
export function number(parent, label, type) {
  const row = make("label", "number", parent);
  make("span", "name", row).textContent = label;
  const input = make("input", "", row, { type: "number", step: "any", inputmode: "decimal" });
  input.addEventListener("change", () => Number.isFinite(input.valueAsNumber) && type(input.valueAsNumber));
  return {
    element: row,
    show(value) {
      if (document.activeElement !== input) input.value = Number.isFinite(value) ? String(Number(value.toPrecision(4))) : "";
    },
  };
}

export function button(parent, label, press) {
  const element = make("button", "", parent, { type: "button" });
  element.textContent = label;
  element.addEventListener("click", press);
  return element;
}

/** A list to choose from. @returns {show(value, [[value, label]...])} */
export function select(parent, label, pick) {
  const row = make("label", "select", parent);
  make("span", "name", row).textContent = label;
  const list = make("select", "", row);
  let written = "";
  list.addEventListener("change", () => pick(list.value));
  return {
    element: row,
    list,
    show(value, options) {
      const wanted = JSON.stringify(options);
      if (wanted !== written) {
        written = wanted;
        list.replaceChildren(...options.map(([one, text]) => new Option(text, one)));
      }
      if (list.value !== value) list.value = value;
    },
  };
}

export function note(parent) {
  const element = make("p", "quiet", parent);
  return {
    element,
    show(text) {
      element.hidden = !text;
      if (element.textContent !== text) element.textContent = text;
    },
  };
}
