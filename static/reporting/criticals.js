// Critical results over a report: what somebody must hear of, by when, every try to reach them, the read-back and the end.

import { t } from "../i18n.js";
import { make } from "../viewer/menu.js";
import { parse, shownPlace } from "./chips.js";
import { keyOf } from "./reportkeys.js";
import { askRecord, askTry, methodWords, outcomeWords, within } from "./criticalforms.js";

const TICK = 5000;
const MINUTE = 60000;
const WITHDRAWN = ["cancelled", "entered_in_error"];
const moment = (at) => new Date(at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
const clock = (at) => (new Date(at).toDateString() === new Date().toDateString() ? new Date(at).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" }) : moment(at));

export class Criticals {
  /** @param desk {report, ask, bar, icon, say, checks, editor} */
  constructor(desk, element) {
    Object.assign(this, { desk, element, report: desk.report.id });
    element.classList.add("criticals");
    this.results = desk.report.criticals ?? [];
    if (!WITHDRAWN.includes(desk.report.state)) this.#offer();
    this.timer = setInterval(() => this.#tick(), TICK);
    this.load();
  }

  #offer() {
    const label = t("Record a critical result");
    const button = make("button", "tool", null, { type: "button", "aria-label": label, title: `${label} (${keyOf("critical")})`, "data-command": "critical" });
    button.append(this.desk.icon("triangle-alert"));
    button.addEventListener("click", () => this.record());
    this.desk.bar.tools.prepend(button);
  }

  get #address() {
    return `/api/reports/${this.report}/critical/`;
  }

  /** What stands there now. */
  async load() {
    const found = await this.desk.ask(this.#address).catch(() => null);
    if (!found || this.stopped) return;
    const changed = this.categories && JSON.stringify(found.results) !== JSON.stringify(this.results);
    Object.assign(this, found);
    this.#draw();
    if (changed) this.desk.reading?.refresh();
  }

  stop() {
    this.stopped = true;
    clearInterval(this.timer);
  }

  // --- what is done

  /** Opens the dialog of a new one. @param finding what is known of it already */
  async record(finding = "") {
    if (!this.categories) await this.load();
    if (!this.categories || WITHDRAWN.includes(this.desk.report.state)) return;
    const made = await askRecord({ report: this.report, finding, categories: this.categories, send: (body) => this.#post("", body) });
    if (made) this.#changed(made, t("The critical result is recorded."));
  }

  async #tried(result) {
    const send = (body) => this.#post(`${result.id}/attempts/`, body);
    const made = await askTry({ result, methods: this.methods, outcomes: this.outcomes, send });
    if (made) this.#changed(made, made.read_back ? t("Written down: it was read back.") : t("The try is written down."));
  }

  async #close(result, button) {
    button.disabled = true;
    try {
      this.#changed(await this.#post(`${result.id}/close/`, {}), t("The critical result is closed."));
    } catch (problem) {
      button.disabled = false;
      this.desk.say(problem.body?.detail || problem.message);
    }
  }

  #post(door, body) {
    return this.desk.ask(`${this.#address}${door}`, { method: "POST", body });
  }

  async #changed(result, words) {
    this.desk.say(words);
    await this.load();
    if (this.desk.editor) this.desk.checks.look();
    this.element.querySelector(`[data-result="${result.id}"] button`)?.focus();
  }

  /** What a line of the checks offers: to record what it speaks of. */
  remedy({ field, place }) {
    return [t("Record the communication…"), () => this.record(this.#sentence(field, place))];
  }

  /** The sentence of a field that a place of its text is in. */
  #sentence(field, place) {
    const raw = this.desk.draft?.content[field];
    if (typeof raw !== "string" || !place) return "";
    const { text } = parse(raw);
    const at = shownPlace(raw, place[0]);
    const ends = [". ", "! ", "? ", "\n"].map((end) => [text.lastIndexOf(end, at - 1), end.length]);
    const from = Math.max(0, ...ends.filter(([place]) => place >= 0).map(([place, length]) => place + length));
    const [sentence] = text.slice(from).split(/(?<=[.!?])\s|\n/);
    return sentence.trim().slice(0, 1000);
  }

  // --- what is seen

  #draw() {
    const open = this.results.filter(({ closed_at: closed }) => !closed);
    const closed = this.results.filter((one) => one.closed_at);
    this.element.replaceChildren(...open.map((one) => this.#banner(one)), ...(closed.length ? [this.#closed(closed)] : []));
    this.#tick();
  }

  #banner(result) {
    const box = make("section", "note critical-result", null, { "data-result": String(result.id), "aria-label": t("Critical result") });
    const head = make("p", "critical-head", box);
    head.append(this.desk.icon("triangle-alert"));
    make("strong", "", head).textContent = t("Critical result");
    make("span", "critical-clock", head, { role: "status" });
    make("p", "critical-finding", box).textContent = result.finding;
    this.#tries(result, box);
    const row = make("div", "row", box);
    if (result.may.includes("attempt")) this.#button(row, t("Write down a try…"), () => this.#tried(result));
    if (result.may.includes("close")) this.#button(row, t("Close it"), (button) => this.#close(result, button)).classList.add("primary");
    return box;
  }

  #button(row, label, run) {
    const button = make("button", "", row, { type: "button" });
    button.textContent = label;
    button.addEventListener("click", () => run(button));
    return button;
  }

  #tries({ attempts, caller, found_at: found }, box) {
    const list = make("ul", "tries", box);
    make("li", "quiet", list).textContent = t("Found {time}, recorded by {name}", { time: clock(found), name: caller });
    for (const one of attempts) make("li", "", list, { "data-outcome": one.outcome }).textContent = tryWords(one);
  }

  #closed(results) {
    const box = make("details", "critical-closed");
    make("summary", "", box).textContent = t("Critical results, closed: {n}", { n: results.length });
    for (const one of results) {
      const part = make("div", "critical-past", box, { "data-closed": String(one.id) });
      make("p", "", part).textContent = one.finding;
      make("p", "quiet", part).textContent = t("Read back by {who} on {time}; closed by {name}.", { who: one.recipient, time: moment(one.acknowledged_at), name: one.closed_by });
      this.#tries(one, part);
    }
    return box;
  }

  #tick() {
    for (const result of this.results) {
      const box = this.element.querySelector(`[data-result="${result.id}"]`);
      if (!box) continue;
      const { text, tone } = clockWords(result, Date.now());
      const words = box.querySelector(".critical-clock");
      if (words.textContent !== text) words.textContent = text;
      box.dataset.tone = tone;
      box.classList.toggle("danger", tone === "overdue");
      box.classList.toggle("good", tone === "read-back");
    }
  }
}

/** {text, tone: "waiting" | "overdue" | "read-back"} of an open result at a time. */
export function clockWords({ due_at: due, acknowledged_at: heard, escalated_at: escalated, recipient }, now) {
  if (heard) return { tone: "read-back", text: t("read back by {name}, {time}. It can be closed.", { name: recipient, time: clock(heard) }) };
  const left = Math.ceil((new Date(due) - now) / MINUTE);
  if (left > 0 && !escalated) return { tone: "waiting", text: t("has to be read back by {time}: {left} left", { time: clock(due), left: within(left) }) };
  const late = within(Math.max(1, Math.floor((now - new Date(due)) / MINUTE)));
  const words = t("OVERDUE by {late}: nobody has read it back.", { late });
  return { tone: "overdue", text: escalated ? `${words} ${t("Escalated {time}.", { time: clock(escalated) })}` : words };
}

function tryWords({ at, caller, recipient, recipient_role: role, method, outcome, note }) {
  if (outcome === "escalated") return t("{time}: escalated, nobody had read it back", { time: clock(at) });
  const who = [recipient, role].filter(Boolean).join(", ");
  const words = t("{time}: {caller} to {who}, {method}: {outcome}", { time: clock(at), caller, who, method: methodWords(method), outcome: outcomeWords(outcome) });
  return note ? `${words}. ${note}` : words;
}
