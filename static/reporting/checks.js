// What the checks say of the report now: a quiet list beside the text, each line the way to the place it means.

import { t } from "../i18n.js";
import { make } from "../viewer/menu.js";

const PAUSE = 400;

export class Checks extends EventTarget {
  /** @param parts {element, ask, report, go(field, place), remedies: {rule: (problem) => [label, run]}} */
  constructor({ element, ask, report, go, remedies = {} }) {
    super();
    Object.assign(this, { element, ask, report, go, remedies });
    this.problems = [];
    this.version = null;
    this.state = "waiting";
    this.discrepancy = null;
    this.turn = 0;
    this.#draw();
  }

  /** Asks anew, a moment later: after a save. */
  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), PAUSE);
  }

  /** What the checks say now. */
  async look() {
    clearTimeout(this.timer);
    this.turn += 1;
    const { turn } = this;
    try {
      const { problems = [], version = null, discrepancy = null } = await this.ask(`/api/reports/${this.report}/checks/`);
      if (turn !== this.turn) return this.problems;
      Object.assign(this, { problems, version, discrepancy, state: "known" });
    } catch (problem) {
      if (turn !== this.turn) return this.problems;
      this.state = problem.message;
    }
    this.#draw();
    this.dispatchEvent(new Event("known"));
    return this.problems;
  }

  stop() {
    clearTimeout(this.timer);
    this.turn += 1;
  }

  #draw() {
    const { problems, state } = this;
    this.element.replaceChildren();
    this.element.classList.add("checks");
    make("h2", "", this.element).textContent = problems.length ? t("Checks: {n}", { n: problems.length }) : t("Checks");
    if (state === "waiting") return;
    if (state !== "known") make("p", "quiet", this.element).textContent = state;
    else if (!problems.length) make("p", "quiet", this.element).textContent = t("Nothing to look at.");
    const list = make("ul", "", this.element);
    for (const one of ordered(problems)) list.append(line(one, this.go, this.remedyOf(one)));
  }

  /** What can be done about a line, beside mending the text: [label, run], or null. */
  remedyOf(problem) {
    return this.remedies[problem.rule]?.(problem) ?? null;
  }
}

const ordered = (problems) => [...problems].sort((a, b) => (a.level === "block" ? 0 : 1) - (b.level === "block" ? 0 : 1));

/** One line, with the way to its place where it has one, and with what can be done about it. */
export function line({ rule, level, message, field, place }, go, remedy = null) {
  const item = make("li", "check", null, { "data-level": level, "data-rule": rule });
  make("span", "level", item).textContent = level === "block" ? t("must be mended") : t("look");
  if (field) {
    const button = make("button", "plain check-go", item, { type: "button", title: t("Go there") });
    button.textContent = message;
    button.addEventListener("click", () => go(field, place));
  } else make("span", "", item).textContent = message;
  if (remedy) {
    const [label, run] = remedy;
    const button = make("button", "check-remedy", item, { type: "button" });
    button.textContent = label;
    button.addEventListener("click", run);
  }
  return item;
}
