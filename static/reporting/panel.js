// The report beside the pictures.

import { t } from "../i18n.js";
import { make } from "../viewer/menu.js";
import { Bridge } from "./bridge.js";
import { Desk } from "./desk.js";
import { watchPatients } from "./patientband.js";
import { resizable } from "./panelwidth.js";
import { whoAmI } from "./session.js";
import { patientKey, shower } from "./views.js";

const NAME = "report";
const WRITERS = ["radiologist", "resident"];
const BACK_AFTER = 1500;

/** Hangs reporting into the viewer page. */
export function install(workbench) {
  const feature = new ReportPanel(workbench);
  workbench.inspect("report", () => feature.told);
  workbench.on("study", ({ study }) => feature.study(study));
  workbench.on("news", ({ message }) => feature.desk?.news(message));
  if (workbench.study.study_instance_uid) feature.study(workbench.study);
}

class ReportPanel {
  constructor(workbench) {
    this.workbench = workbench;
    this.known = false;
    this.ready = false;
    this.desk = null;
    this.writer = null;
    this.element = make("div", "report-panel");
  }

  get told() {
    const { desk } = this;
    return { state: desk?.state ?? "closed", id: desk?.report?.id ?? null, version: desk?.draft?.version ?? null, saving: desk?.saver?.state ?? null, elsewhere: Boolean(this.writer), ready: this.ready };
  }

  /** Once the study is there, and only for people who write reports where it belongs; `ready` when that is settled. */
  async study(study) {
    if (this.known) return;
    this.known = true;
    const { workbench } = this;
    watchPatients(document.querySelector(".band"), patientKey(study));
    const me = await whoAmI().catch(() => null);
    const here = me?.organizations.find(({ name }) => name === study.organization);
    if (!here?.roles.some((role) => WRITERS.includes(role))) {
      this.ready = true;
      return;
    }
    this.bridge = new Bridge(study.study_instance_uid);
    this.#listen();
    workbench.command(NAME, () => this.open(), () => t("Write the report"));
    workbench.command("report-measurement", () => this.insert("newest-measurement"), () => t("Insert the newest measurement into the report"));
    workbench.command("report-key-image", () => this.insert("newest-key-image"), () => t("Insert the newest key image into the report"));
    workbench.side.add({ name: NAME, label: t("Report"), icon: "notebook-pen", fill: (element) => this.#fill(element) });
    resizable(workbench.side.element, workbench.remembered);
    document.getElementById("panes").addEventListener("pointerdown", () => this.#toPictures(), { capture: true });
    this.ready = true;
    if (new URLSearchParams(location.search).get("report")) this.open();
  }

  #fill(element) {
    if (this.element.parentElement !== element) element.replaceChildren(this.element);
    if (!this.desk && !this.writer) this.#invite();
  }

  /** Nothing is opened, and no lock taken, before somebody wants to write. */
  #invite() {
    this.element.replaceChildren();
    make("h2", "", this.element).textContent = t("Report");
    make("p", "quiet", this.element).textContent = t("Opening it reserves it for you, so that no two people write at once.");
    const button = make("button", "primary", this.element, { type: "button" });
    button.append(this.workbench.icon("notebook-pen"), t("Write the report"));
    button.addEventListener("click", () => this.open());
  }

  /** Opens the report, or goes to where it was written last. */
  async open() {
    this.workbench.side.show(NAME);
    if (this.writer) {
      this.window?.focus();
      return;
    }
    if (this.desk) {
      this.desk.editor?.focus();
      return;
    }
    const elsewhere = await this.bridge.ask("who", "writing");
    if (elsewhere) {
      this.#elsewhere(elsewhere);
      return;
    }
    await this.#write();
  }

  async #write(options = {}) {
    this.element.replaceChildren();
    this.desk ??= this.#desk();
    this.element.append(this.desk.element);
    await this.desk.open(options);
    if (this.desk.state === "writing" && this.workbench.side.open === NAME) this.desk.editor.focus();
  }

  #desk() {
    const { workbench } = this;
    const { study_instance_uid, organization } = workbench.study;
    const show = shower(workbench);
    const host = {
      study: { study_instance_uid, organization },
      report: null,
      // What the page shows, not what the report says: that the two are the same is for the server to find.
      context: (report) => ({
        study: workbench.study.study_instance_uid,
        patient_id: workbench.study.patient?.patient_id ?? "",
        accession_number: workbench.study.accession_number || report.context.accession_number,
      }),
      patientLine: () => [document.getElementById("patient-name").textContent, document.getElementById("patient-facts").textContent].filter(Boolean).join(" · "),
      icon: workbench.icon,
      say: workbench.say,
      show: async (item) => show(item),
      pictures: () => workbench.active.element.focus({ preventScroll: true }),
      ownWindow: (report) => this.#ownWindow(report),
      signIn: workbench.page.signIn,
    };
    const desk = new Desk(make("div", ""), host);
    desk.addEventListener("opened", () => this.bridge.send("writing", { report: desk.report.id, busy: desk.state === "writing" }));
    return desk;
  }

  /** Puts something into the report, from the pictures; the hand stays on them. */
  async insert(command) {
    if (this.writer) {
      this.bridge.send("insert", { command });
      this.workbench.say(t("Sent to the window in which the report is written."));
      return;
    }
    if (!this.desk) await this.open();
    const back = document.activeElement;
    await this.desk?.run(command);
    if (back && !this.element.contains(back)) back.focus({ preventScroll: true });
  }

  /** Who touches a picture means the picture with the next key too. */
  #toPictures() {
    if (this.element.contains(document.activeElement)) this.workbench.active.element.focus({ preventScroll: true });
  }

  // --- other windows

  #listen() {
    const { bridge } = this;
    const show = shower(this.workbench);
    bridge.on("who", ({ nonce, from }) => this.desk?.state === "writing" && bridge.send("writing", { nonce, to: from, report: this.desk.report.id, busy: true }));
    bridge.on("hand-over", async ({ nonce, from, report }) => {
      if (this.desk?.state !== "writing" || this.desk.report.id !== report) return;
      const given = await this.desk.handOver();
      bridge.send("handed", { nonce, to: from, ...given });
      this.#elsewhere({ report });
    });
    bridge.on("writing", (found) => found.busy && !found.nonce && this.desk?.state !== "writing" && this.#elsewhere(found));
    bridge.on("closed", ({ report, token }) => this.writer?.report === report && this.#back(token));
    bridge.on("show", ({ nonce, from, item }) => show(item) && bridge.send("shown", { nonce, to: from }));
  }

  #ownWindow(report) {
    this.window = open(`/reports/${report}/`, `farview-report-${report}`, "popup,width=980,height=1100");
    if (!this.window) this.workbench.say(t("The browser did not open a window. Allow pop-ups for this site, then try again."));
  }

  /** It is written in another window: this one says so. */
  #elsewhere({ report }) {
    clearTimeout(this.coming);
    this.writer = { report };
    this.desk = null;
    this.element.replaceChildren();
    make("h2", "", this.element).textContent = t("Report");
    const note = make("div", "note", this.element, { role: "status" });
    make("p", "", note).textContent = t("The report is being written in another window. What you insert here goes there.");
    const row = make("div", "row", note);
    if (this.window && !this.window.closed) {
      const go = make("button", "", row, { type: "button" });
      go.textContent = t("Show that window");
      go.addEventListener("click", () => this.window.focus());
    }
    const here = make("button", "", row, { type: "button" });
    here.textContent = t("Write here again");
    here.addEventListener("click", () => this.#fetchBack());
  }

  async #fetchBack() {
    const { report } = this.writer;
    const handed = await this.bridge.ask("hand-over", "handed", { report }, 3000);
    this.writer = null;
    await this.#write({ handed });
  }

  /** That window was closed, or is being loaded anew: then it says so in a moment. */
  #back(token) {
    clearTimeout(this.coming);
    this.coming = setTimeout(() => {
      this.writer = null;
      if (this.workbench.side.open === NAME) this.#write({ handed: token ? { token } : null });
      else this.#invite();
    }, BACK_AFTER);
  }
}
