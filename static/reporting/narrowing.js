// A list that typing narrows: arrows walk its rows, Enter takes the first. Imports nothing.

/** @param search the input over it @param list whose rows are the buttons of `rows` @param draw called when the text changes */
export function narrowed(search, list, rows, draw) {
  search.addEventListener("input", draw);
  search.addEventListener("keydown", (event) => {
    if (event.isComposing || (event.key !== "ArrowDown" && event.key !== "Enter")) return;
    event.preventDefault();
    const first = list.querySelector(rows);
    if (event.key === "Enter") first?.click();
    else first?.focus();
  });
  list.addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const all = [...list.querySelectorAll(rows)];
    const here = all.findIndex((one) => one.parentElement.contains(document.activeElement));
    (all[here + by] ?? (by < 0 ? search : all.at(-1)))?.focus();
  });
}
