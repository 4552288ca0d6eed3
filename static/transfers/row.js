// One transfer as a line: what, where to or from, how far, what went wrong, and what can be done.

import { t } from "../i18n.js";
import { isoDate, objectsIn, personName } from "../text.js";
import { make } from "../viewer/menu.js";

const WHEN = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "short" });
const CANCELLED_FROM = ["queued", "running", "failed"];
const RETRIED_FROM = ["failed", "given_up", "cancelled"];

const STATES = {
  queued: () => t("waiting"),
  running: () => t("on its way"),
  done: () => t("done"),
  failed: () => t("tried again soon"),
  given_up: () => t("given up"),
  cancelled: () => t("cancelled"),
};

const KINDS = {
  send: (peer) => t("to {peer}", { peer }),
  retrieve: (peer) => t("from {peer}", { peer }),
  priors: (peer) => t("earlier studies looked for at {peer}", { peer }),
};

export const stateWord = (state) => STATES[state]?.() ?? state;

/** Who and what a transfer is about, as one line. */
export function about({ study, study_instance_uid }) {
  const who = study.patient_name ? personName(study.patient_name) : (study.patient_id || t("Study {uid}", { uid: study_instance_uid }));
  const what = [study.modalities.join(" "), study.description, isoDate(study.date)].filter(Boolean).join(" · ");
  return { who, what };
}

export class Row {
  constructor(act) {
    this.act = act;
    this.element = make("li", "transfer", null);
  }

  fill(transfer) {
    const held = this.element.contains(document.activeElement) ? document.activeElement.dataset.act ?? "link" : null;
    this.transfer = transfer;
    this.state = transfer.state;
    this.element.dataset.state = transfer.state;
    const { who, what } = about(transfer);
    const name = make("div", "about", null);
    const title = transfer.study.here
      ? make("a", "who-is", name, { href: `/studies/${encodeURIComponent(transfer.study_instance_uid)}/?organization=${encodeURIComponent(transfer.organization)}`, "data-act": "link" })
      : make("span", "who-is", name);
    title.textContent = who;
    make("span", "quiet", name).textContent = what;
    const way = make("div", "way", null);
    make("span", "", way).textContent = this.#way();
    make("span", "quiet", way, { title: t("asked for") }).textContent = [WHEN.format(new Date(transfer.created_at)), this.#by()].filter(Boolean).join(" · ");
    this.element.replaceChildren(name, way, this.#progress(), this.#acts());
    if (transfer.problem) this.say(transfer.problem, ["done", "queued", "running"].includes(transfer.state) ? "remark" : "wrong");
    if (held) (this.element.querySelector(`[data-act="${held}"]`) ?? this.element.querySelector("a, button"))?.focus();
  }

  /** Numbers of a piece of news, without asking. */
  move({ state, total, done, failed }) {
    Object.assign(this.transfer, { state, total, done, failed });
    this.element.dataset.state = state;
    this.element.querySelector(".progress").replaceWith(this.#progress());
  }

  say(words, className = "wrong") {
    this.element.querySelector(".told")?.remove();
    make("p", `told ${className}`, this.element, className === "wrong" ? { role: "alert" } : {}).textContent = words;
  }

  #way() {
    const { kind, peer, series_instance_uid, instances } = this.transfer;
    const part = instances ? objectsIn(instances) : (series_instance_uid ? t("1 series") : "");
    return [KINDS[kind](peer.description || peer.ae_title), part].filter(Boolean).join(" · ");
  }

  #by() {
    const { asked_by, reason } = this.transfer;
    return asked_by || (reason === "prefetch" ? t("by itself") : "");
  }

  #progress() {
    const { state, total, done, failed, kind } = this.transfer;
    const box = make("div", "progress", null);
    make("span", "state-word", box).textContent = stateWord(state);
    if (kind === "priors") {
      if (state === "done") make("span", "quiet", box).textContent = t("{total} found, {done} fetched", { total, done });
      return box;
    }
    if (!total) return box;
    const words = failed ? t("{done} of {total}, {failed} failed", { done, total, failed }) : t("{done} of {total}", { done, total });
    if (!["done", "cancelled"].includes(state)) make("progress", "", box, { max: String(total), value: String(done), "aria-label": words });
    make("span", "quiet", box).textContent = words;
    return box;
  }

  #acts() {
    const box = make("div", "acts", null);
    const { state } = this.transfer;
    if (RETRIED_FROM.includes(state)) this.#button(box, "retry", t("Try again"));
    if (CANCELLED_FROM.includes(state)) this.#button(box, "cancel", t("Cancel"));
    return box;
  }

  #button(box, what, label) {
    const button = make("button", "", box, { type: "button", "data-act": what, "aria-label": `${label}: ${about(this.transfer).who}` });
    button.textContent = label;
    button.addEventListener("click", () => {
      button.disabled = true;
      this.act(this.transfer, what);
    });
  }
}
