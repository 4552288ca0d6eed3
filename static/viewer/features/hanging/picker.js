// The small grid in the layout menu: point at the lower right viewport, or walk there with the arrows.

import { t } from "../../../i18n.js";
import { make } from "../../menu.js";

const MOST = 4;
const STEPS = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };

const label = (rows, columns) => (rows * columns === 1 ? t("One viewport") : t("{rows} × {columns}", { rows, columns }));

/** Puts the grid into a menu. @param present "2x2" @param choose called with the name of a layout */
export function addPicker(menu, present, choose) {
  const grid = make("div", "picker", menu.list, { role: "group", "aria-label": t("Rows and columns") });
  const said = make("p", "note", menu.list, { role: "presentation" });
  const cells = [];
  for (let row = 1; row <= MOST; row += 1) {
    for (let column = 1; column <= MOST; column += 1) {
      const name = `${row}x${column}`;
      const cell = make("button", "cell", grid, { type: "button", role: "menuitemradio", tabindex: "-1", "aria-checked": String(name === present), "aria-label": label(row, column) });
      Object.assign(cell.dataset, { row, column });
      cell.addEventListener("click", () => {
        menu.close();
        choose(name);
      });
      for (const event of ["pointerenter", "focus"]) cell.addEventListener(event, () => point(row, column));
      cells.push(cell);
    }
  }
  function point(row, column) {
    for (const cell of cells) cell.toggleAttribute("data-in", Number(cell.dataset.row) <= row && Number(cell.dataset.column) <= column);
    said.textContent = label(row, column);
  }
  const [rows, columns] = present.split("x").map(Number);
  point(rows, columns);
  grid.addEventListener("pointerleave", () => point(rows, columns));
  grid.addEventListener("keydown", (event) => walk(event, cells));
}

/** Arrows walk in two directions; over the edge at the bottom they leave for the rest of the menu. */
function walk(event, cells) {
  const step = STEPS[event.key];
  const { row, column } = document.activeElement.dataset;
  if (!step || !row) return;
  const next = [Number(row) + step[0], Number(column) + step[1]];
  if (next[0] > MOST) cells.at(-1).focus({ preventScroll: true });
  if (next[0] > MOST || next[0] < 1) return;
  event.preventDefault();
  event.stopPropagation();
  cells.find((cell) => Number(cell.dataset.row) === next[0] && Number(cell.dataset.column) === next[1])?.focus();
}
