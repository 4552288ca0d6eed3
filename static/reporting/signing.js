// Signing: one dialog that says exactly what is signed, as whom and with what meaning; what the checks say is mended or
// acknowledged first.

import { dialogOf } from "../dialog.js";
import { t } from "../i18n.js";
import { make } from "../viewer/menu.js";
import { line } from "./checks.js";
import { passwordHint, signsBy, withProof } from "./confirming.js";

/** Acts that sign the whole text: [act, label, what it means, door, meaning]. */
const ACTS = [
  ["sign_read", () => t("Read"), () => t("You sign what you read by yourself. Nobody sees it until a second radiologist has read it too."), "sign", "read"],
  ["sign_final", () => t("Final"), () => t("You have verified it; it goes out."), "sign", "final"],
  ["cosign", () => t("Co-sign"), () => t("You verify what the resident wrote; it goes out."), "cosign", null],
  ["submit", () => t("Send for co-signature"), () => t("You sign as author; an attending verifies it."), "sign", "submit"],
  ["sign_preliminary", () => t("Preliminary"), () => t("You sign as author; it is not final yet."), "sign", "preliminary"],
];

/** What "final" is while a correction is written. */
const CORRECTION = ["sign_final", () => t("Correction"), () => t("It takes the place of the signed text; readers are told that it was corrected, and why."), "sign", "final"];

const GRADES = [
  ["none", () => t("no difference that matters")],
  ["minor", () => t("minor")],
  ["major", () => t("major")],
];

export class Signing {
  /** @param desk {report, draft, saver, checks, me, patientLine, ask, context, token, icon, go, signed} */
  constructor(desk) {
    this.desk = desk;
  }

  /** Saves, asks the checks, and opens the dialog. Resolves when it is closed. */
  async open() {
    const { desk } = this;
    if (this.dialog) return;
    if (!(await desk.saver.flush())) {
      desk.say(t("It cannot be signed yet: not everything is saved."));
      return;
    }
    await desk.checks.look();
    this.by = await signsBy();
    this.#build();
    this.dialog.showModal();
    this.form.querySelector("input")?.focus();
    await new Promise((resolve) => this.dialog.addEventListener("close", resolve));
    this.dialog = null;
  }

  #build() {
    const { desk } = this;
    this.dialog = dialogOf({ title: t("Sign this report"), className: "signing" });
    const facts = make("dl", "signing-facts", this.dialog);
    for (const [term, words] of [
      [t("Patient"), desk.patientLine],
      [t("Report"), t("{template}, version {version}", { template: desk.report.title, version: desk.draft.version })],
      [t("As"), desk.me.shown],
    ]) {
      make("dt", "", facts).textContent = term;
      make("dd", "", facts).textContent = words;
    }
    this.problems = make("div", "signing-problems", this.dialog);
    this.form = make("form", "", this.dialog, { method: "dialog" });
    this.#meanings();
    this.grade = make("div", "", this.form);
    this.password = this.#passwordField();
    this.told = make("p", "wrong", this.form, { role: "alert" });
    const row = make("div", "row", this.form);
    this.button = make("button", "primary", row, { type: "submit" });
    this.button.textContent = t("Sign");
    const away = make("button", "", row, { type: "button" });
    away.textContent = t("Not yet");
    away.addEventListener("click", () => this.dialog.close());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#sign();
    });
    this.show(desk.checks.problems);
    this.#grades(desk.checks.discrepancy);
  }

  /** Where its person has a password; null where they are asked who they are elsewhere. */
  #passwordField() {
    if (!this.by.password) {
      make("p", "quiet", this.form).textContent = passwordHint(this.by);
      return null;
    }
    const label = make("label", "field", this.form);
    make("span", "", label).textContent = t("Your password");
    const input = make("input", "", label, { type: "password", autocomplete: "current-password" });
    if (this.by.page) make("span", "quiet", label).textContent = passwordHint(this.by);
    else input.required = true;
    return input;
  }

  #meanings() {
    const { may, correction } = this.desk.report;
    const box = make("fieldset", "meanings", this.form);
    make("legend", "", box).textContent = t("Meaning");
    const offered = ACTS.filter(([act]) => may.includes(act)).map((one) => (correction ? CORRECTION : one));
    offered.forEach(([act, label, means], index) => {
      const row = make("label", "meaning", box);
      const input = make("input", "", row, { type: "radio", name: "meaning", value: act, required: "" });
      input.checked = index === 0;
      make("strong", "", row).textContent = label();
      make("span", "quiet", row).textContent = means();
    });
  }

  #grades(asked) {
    if (!asked) return;
    const box = make("fieldset", "meanings grades", this.grade);
    make("legend", "", box).textContent = t("Difference from what was signed before");
    for (const [value, label] of GRADES) {
      const row = make("label", "meaning", box);
      make("input", "", row, { type: "radio", name: "discrepancy", value });
      make("span", "", row).textContent = label();
    }
  }

  /** What the checks say: blocks are mended first, the rest is acknowledged one by one. */
  show(problems) {
    this.found = problems;
    const blocks = problems.filter(({ level }) => level === "block");
    const rest = problems.filter(({ level }) => level !== "block");
    const go = (field, place) => {
      this.dialog.close();
      this.desk.go(field, place);
    };
    this.problems.replaceChildren();
    if (blocks.length) {
      make("h3", "", this.problems).textContent = t("This must be mended before it is signed");
      const list = make("ul", "checks", this.problems);
      for (const one of blocks) list.append(line(one, go, this.#remedy(one)));
    }
    if (rest.length) {
      make("h3", "", this.problems).textContent = t("Look at this before you sign");
      const list = make("ul", "checks", this.problems);
      for (const one of rest) {
        const item = line(one, go, this.#remedy(one));
        const row = make("label", "meant", item);
        make("input", "", row, { type: "checkbox", name: "acknowledged", value: one.rule });
        make("span", "", row).textContent = t("It is meant so");
        list.append(item);
      }
    }
    this.button.disabled = blocks.length > 0;
  }

  #remedy(problem) {
    const [label, run] = this.desk.checks.remedyOf(problem) ?? [];
    const away = () => {
      this.dialog.close();
      run();
    };
    return run ? [label, away] : null;
  }

  get #acknowledged() {
    const boxes = [...this.problems.querySelectorAll("[name=acknowledged]")];
    const rules = [...new Set(boxes.map(({ value }) => value))];
    return rules.filter((rule) => boxes.filter(({ value }) => value === rule).every(({ checked }) => checked));
  }

  async #sign() {
    const { desk } = this;
    const act = this.form.querySelector("[name=meaning]:checked")?.value;
    const [, , , door, meaning] = ACTS.find(([name]) => name === act) ?? [];
    if (!door) return;
    const acknowledged = this.#acknowledged;
    const open = this.found.filter(({ level, rule }) => level !== "block" && !acknowledged.includes(rule));
    if (open.length) {
      this.told.textContent = t("Look at each line first and say that it is meant so, or mend it.");
      this.problems.querySelector("[name=acknowledged]:not(:checked)")?.focus();
      return;
    }
    this.button.disabled = true;
    this.told.textContent = "";
    const grade = this.form.querySelector("[name=discrepancy]:checked")?.value;
    const body = { ...(this.password?.value ? { password: this.password.value } : {}), acknowledged, version: desk.draft.version, context: desk.context(), token: desk.token, ...(meaning ? { meaning } : {}), ...(grade ? { discrepancy: grade } : {}) };
    try {
      const say = (words) => (this.told.textContent = words);
      const done = await withProof(() => desk.ask(`/api/reports/${desk.report.id}/${door}/`, { method: "POST", body }), this.dialog, say);
      this.dialog.close();
      desk.signed(done);
    } catch (problem) {
      this.#refused(problem);
    }
  }

  #refused({ body, message }) {
    this.button.disabled = false;
    if (this.password) this.password.value = "";
    (this.password ?? this.button).focus();
    this.told.textContent = body?.detail || message;
    if (body?.problems?.length) {
      const kept = new Set(this.#acknowledged);
      this.show(body.problems);
      for (const box of this.problems.querySelectorAll("[name=acknowledged]")) box.checked = kept.has(box.value);
    }
  }
}
