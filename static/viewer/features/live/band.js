// What stands over the panes about a live session: that somebody shows the study, who is in the session, how to come in and go.

import { t } from "../../../i18n.js";
import { make } from "../../menu.js";

const A_WHILE = 8000;

export class Band {
  /** @param workbench @param acts {join, look, leave, steer(together), dismiss} */
  constructor(workbench, acts) {
    this.workbench = workbench;
    this.acts = acts;
    this.word = "";
    this.element = make("section", "live-band", null, { "aria-label": t("Live session") });
    this.element.hidden = true;
    this.sign = make("span", "live-sign", this.element);
    this.sign.append(workbench.icon("users"));
    this.text = make("span", "live-text", this.element, { role: "status" });
    this.people = make("ul", "live-people", this.element, { "aria-label": t("In this session") });
    this.buttons = make("div", "live-acts", this.element);
    document.getElementById("line").after(this.element);
  }

  /** A word that stands for a while, for eyes and ears: who has come or gone. */
  tell(word) {
    this.word = word;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.word = "";
      this.show(this.last);
    }, A_WHILE);
    this.show(this.last);
  }

  /** @param state {members, you, together, interrupted, dismissed} */
  show(state = { members: [] }) {
    this.last = state;
    const { members, you = null, together = true, interrupted = false, dismissed = false } = state;
    const others = members.filter(({ mine }) => !mine);
    const inside = you !== null || interrupted;
    this.element.hidden = !inside && !this.word && (dismissed || !others.length);
    this.element.toggleAttribute("data-inside", inside);
    this.#put(this.text, interrupted ? t("The live session is interrupted. It comes back by itself.") : this.word || said(members, others, inside));
    this.people.hidden = !inside || interrupted;
    this.#write(this.people, inside ? members : [], (list) => list.map((one) => this.#person(one, you)));
    this.#write(this.buttons, [inside, interrupted, together, others.length], () => (inside ? this.#inside(together, interrupted) : this.#outside(others)));
  }

  /** Written anew only where it says something else: a button that has the focus keeps it. */
  #write(element, about, make_) {
    const key = JSON.stringify(about);
    if (element.dataset.about === key) return;
    const focused = element.contains(document.activeElement) ? document.activeElement.dataset.act : null;
    element.dataset.about = key;
    element.replaceChildren(...make_(about));
    if (focused) element.querySelector(`[data-act="${focused}"]`)?.focus();
  }

  #put(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  #person({ id, name, color, together }, you) {
    const item = make("li", "live-person", null, { "data-color": color });
    make("i", "live-dot", item, { "aria-hidden": "true" });
    const words = id === you ? t("{name} (you)", { name }) : name;
    item.append(together ? words : t("{name}, looking alone", { name: words }));
    return item;
  }

  #button(act, label, { pressed = null, title = "", className = "" } = {}) {
    const button = make("button", className, null, { type: "button", "data-act": act, ...(title ? { title } : {}) });
    if (pressed !== null) button.setAttribute("aria-pressed", String(pressed));
    button.textContent = label;
    button.addEventListener("click", () => this.acts[act]());
    return button;
  }

  #inside(together, interrupted) {
    const leave = this.#button("leave", t("Leave"));
    if (interrupted) return [leave];
    const title = t("On: what you do is done for all, and what they do for you. Off: you look on your own.");
    const steer = this.#button("steer", t("Steer together"), { pressed: together, title });
    return together ? [steer, leave] : [steer, this.#button("take", t("Show what they see")), leave];
  }

  #outside(others) {
    if (!others.length) return [];
    const look = this.#button("look", t("Look once"), { title: t("Show what they see by now, without joining") });
    return [this.#button("join", t("Join"), { className: "primary" }), look, this.#button("dismiss", t("Not now"))];
  }
}

function said(members, others, inside) {
  const names = others.map(({ name }) => name).join(", ");
  if (inside) return others.length ? "" : t("You show this study live. Whoever may see it is told when they open it.");
  if (!others.length) return "";
  return others.length > 1 ? t("{names} show this study live.", { names }) : t("{name} shows this study live.", { name: names });
}
