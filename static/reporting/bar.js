// The line over a report: what it is, whether it is kept, and what can be done with it.

import { t } from "../i18n.js";
import { make } from "../viewer/menu.js";
import { keyOf } from "./reportkeys.js";
import { reportState, savingWords } from "./statewords.js";

export class Bar {
  /** @param run called with the name of what a button asks for */
  constructor(element, { icon, run, ownWindow }) {
    Object.assign(this, { element, icon, run });
    element.classList.add("report-bar");
    const what = make("div", "what", element);
    this.state = make("strong", "report-state", what);
    this.template = make("button", "plain template-name", what, { type: "button" });
    this.template.addEventListener("click", () => run("template"));
    this.kept = make("span", "kept", element, { "data-tone": "quiet" });
    this.tools = make("div", "report-tools", element, { role: "toolbar", "aria-label": t("Report") });
    this.buttons = {};
    this.#button("pick", t("Insert a measurement or key image"), "link-2", keyOf("pick"));
    this.#button("macros", t("Macros"), "text-quote", keyOf("macros"));
    this.#button("next-place", t("Next place to fill"), "square-pen", keyOf("next-place"));
    this.#button("preview", t("As it will be read"), "eye");
    if (ownWindow) this.#button("own-window", t("Write in a window of its own"), "app-window");
    this.#button("keys", t("Keys while writing"), "keyboard");
    this.sign = make("button", "primary sign", element, { type: "button", title: keyOf("sign") });
    this.sign.textContent = t("Sign…");
    this.sign.addEventListener("click", () => run("sign"));
    this.sign.hidden = true;
  }

  #button(name, label, icon, key = "") {
    const title = key ? `${label} (${key})` : label;
    const button = make("button", "tool", this.tools, { type: "button", "aria-label": label, title, "data-command": name });
    button.append(this.icon(icon));
    button.addEventListener("click", () => this.run(name));
    this.buttons[name] = button;
  }

  /** What the report is. */
  show(report, { writing }) {
    const { template } = report;
    this.state.textContent = report.correction ? t("Correction, not signed") : reportState(report.state);
    this.state.dataset.state = report.correction ? "correction" : report.state;
    this.template.replaceChildren(writing ? template.title : report.title, this.icon("chevron-down"));
    this.template.title = [t("Template: {title}, version {version}.", template), template.why].filter(Boolean).join(" ");
    this.template.disabled = !writing;
    for (const name of ["pick", "macros", "next-place"]) this.buttons[name].hidden = !writing;
    this.sign.hidden = !signs(report.may) || !writing;
  }

  /** Whether it is kept. */
  keep(saver) {
    const { text, tone } = savingWords(saver);
    if (this.kept.textContent !== text) this.kept.textContent = text;
    this.kept.dataset.tone = tone;
  }

  /** How many places wait. */
  waits(count) {
    const button = this.buttons["next-place"];
    button.dataset.count = count ? String(count) : "";
    button.setAttribute("aria-label", count ? t("Next place to fill: {n} left", { n: count }) : t("Nothing waits to be filled"));
  }
}

/** Whether any signature of the whole text is open to this person. */
export const signs = (may = []) => may.some((act) => ["sign_read", "sign_final", "sign_preliminary", "submit", "cosign"].includes(act));
