// Light or dark on the pages of lists and reports: the reader's choice where one was made, else the system's. Stands in the
// head and is no module, for the page must not first appear in the other one.

(() => {
  const KEY = "farview.theme";
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => localStorage.getItem(KEY);
  const ofSystem = () => (system.matches ? "dark" : "light");
  const now = () => chosen() ?? ofSystem();

  function show() {
    if (chosen()) root.dataset.theme = chosen();
    else delete root.dataset.theme;
    const button = document.getElementById("theme");
    if (!button) return;
    const other = now() === "dark" ? "light" : "dark";
    button.setAttribute("aria-label", `Switch to ${other}`);
    button.title = `Switch to ${other}`;
    button.dataset.now = now();
  }

  /** What the system says anyway is not kept: the page then follows it again. */
  function turn() {
    const other = now() === "dark" ? "light" : "dark";
    if (other === ofSystem()) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, other);
    show();
  }

  show();
  system.addEventListener("change", show);
  addEventListener("storage", ({ key }) => key === KEY && show());
  document.addEventListener("DOMContentLoaded", () => {
    show();
    document.getElementById("theme")?.addEventListener("click", turn);
  });
})();
