// The report where it is written: opens it, keeps it, and joins fields, evidence, checks and signing. The same in the viewer's
// panel, in a window of its own and on its own page; what differs comes with the host.

import { openForm } from "../dialog.js";
import { t } from "../i18n.js";
import { make } from "../viewer/menu.js";
import { sealOf } from "../sealing.js";
import { rest } from "../viewer/features/rest.js";
import { actButtons } from "./acts.js";
import { Bar } from "./bar.js";
import { Checks } from "./checks.js";
import { settleClashes } from "./conflict.js";
import { Criticals } from "./criticals.js";
import { Draft, fieldsOf } from "./draft.js";
import { Editor } from "./editor.js";
import { Evidence } from "./evidence.js";
import { Journal } from "./journal.js";
import { Lock } from "./lock.js";
import { Notices } from "./notices.js";
import { Outline } from "./outline.js";
import { Priors } from "./priors.js";
import { lostNotice, recoveredNotice, leftOverNotice, takeReason, unsavedElsewhere } from "./remarks.js";
import { Reading } from "./reading.js";
import { Saver } from "./saving.js";
import { adoptToken, lastWord, lockToken, signedInAgain, whoAmI } from "./session.js";
import { Signing } from "./signing.js";
import { tellStanding } from "./standing.js";
import { savingWords } from "./statewords.js";
import { Work } from "./work.js";

const WATCH = 20000;

export class Desk extends EventTarget {
  /** @param host {study: {study_instance_uid, organization}, report: id or null, context(report), patientLine(report), icon, say,
   *  show(item), pictures, ownWindow, signIn} */
  constructor(element, host) {
    super();
    Object.assign(this, { element, host, ask: rest, icon: host.icon, say: host.say });
    this.state = "closed";
    element.classList.add("report");
    this.report = null;
    addEventListener("online", () => this.saver?.retry());
    addEventListener("focus", () => this.saver?.retry());
    document.addEventListener("visibilitychange", () => (document.visibilityState === "hidden" ? this.saver?.flush() : this.saver?.retry()));
    addEventListener("pagehide", () => this.#leave());
    this.work = new Work(this);
  }

  // --- opening

  /** Opens the report: of the host's number, else that of its study, begun where there is none. @param handed {token} of the
   *  window that wrote it so far @param look only to look at it: it stays free for others to write */
  async open({ template = null, handed = null, look = false } = {}) {
    if (this.state === "opening") return;
    this.state = "opening";
    this.looking = look;
    this.element.setAttribute("aria-busy", "true");
    try {
      this.me ??= await whoAmI();
      this.journal ??= new Journal(this.me.name, await sealOf(this.me.journalKey));
      const { id, study } = { id: this.host.report ?? this.report?.id ?? null, study: this.host.study };
      this.token = handed?.token ?? lockToken(this.me.name, study.study_instance_uid);
      if (handed) adoptToken(this.me.name, study.study_instance_uid, handed.token);
      this.#begin(id === null ? await this.#byStudy(study, template) : await this.#byNumber(id));
    } catch (problem) {
      this.#failed(problem);
    }
    this.element.removeAttribute("aria-busy");
  }

  #byStudy({ study_instance_uid: study, organization }, template, reason = "") {
    const body = { study, token: this.token, ...(organization ? { organization } : {}), ...(template ? { template } : {}), ...(reason ? { reason } : {}) };
    return this.ask("/api/reports/", { method: "POST", body }).catch((problem) => {
      if (problem.status === 423 && problem.body?.id) return problem.body;
      throw problem;
    });
  }

  async #byNumber(id) {
    const address = `/api/reports/${id}/?token=${encodeURIComponent(this.token)}`;
    const report = await this.ask(address);
    if (this.looking || !report.may.includes("save") || report.lock.mine) return report;
    try {
      await this.ask(`/api/reports/${id}/lock/`, { method: "POST", body: { action: "heartbeat", token: this.token } });
    } catch (problem) {
      if (problem.status !== 423) throw problem;
      return { ...report, lock: problem.body?.lock ?? report.lock };
    }
    return this.ask(address);
  }

  #failed(problem) {
    this.state = "failed";
    this.element.replaceChildren();
    const why = problem.body?.detail || problem.message;
    const held = problem.status === 423;
    const note = make("div", held ? "note" : "note danger", this.element, { role: held ? "status" : "alert" });
    make("p", "", note).textContent = held ? why : t("The report could not be opened. {why}", { why });
    const row = make("div", "row", note);
    const again = make("button", "", row, { type: "button" });
    again.textContent = t("Try again");
    again.addEventListener("click", () => this.open());
    if (held) {
      const take = make("button", "", row, { type: "button" });
      take.textContent = t("Take it over…");
      take.addEventListener("click", () => this.#takeExamination(why));
    }
    if (problem.status === undefined) throw problem;
  }

  /** Another reads an examination that has no report yet: it is taken from them with a reason, and its report begun. */
  async #takeExamination(why) {
    const report = await openForm({
      title: t("Take the examination over"),
      lead: why,
      fields: [takeReason()],
      go: t("Take it over"),
      send: ({ reason }) => this.#byStudy(this.host.study, null, reason),
    });
    if (!report) return;
    this.#begin(report);
    this.editor?.focus();
  }

  #begin(report) {
    this.#end();
    this.report = report;
    this.token = report.lock?.token ?? this.token;
    this.element.replaceChildren();
    const bar = make("header", "", this.element);
    this.notices = new Notices(make("div", "", this.element));
    this.bar = new Bar(bar, { icon: this.icon, run: (command) => this.run(command), ownWindow: this.host.ownWindow });
    const writable = report.may.includes("save") && !this.looking;
    this.state = !writable ? "reading" : report.lock.mine ? "writing" : "locked";
    this.element.dataset.state = this.state;
    this.bar.show(report, { writing: this.state === "writing" });
    tellStanding(this);
    this.criticals = new Criticals(this, make("div", "", this.element));
    if (this.state === "reading") this.#read();
    else this.#write();
    for (const text of report.disagreements ?? []) this.notices.set("disagreement", { text, tone: "trouble" });
    this.dispatchEvent(new CustomEvent("opened", { detail: { report, state: this.state } }));
  }

  // --- a report that is not written now

  #read() {
    const body = make("div", "report-body reading", this.element);
    this.reading = new Reading(body, this);
    unsavedElsewhere(this);
  }

  // --- one that is

  #write() {
    const { report, icon } = this;
    const body = make("div", "report-body", this.element);
    const outline = make("nav", "outline", body, { "aria-label": t("Sections") });
    const sheet = make("div", "editor", body, { id: "report-text" });
    const beside = make("aside", "beside", body, { "aria-label": t("Beside the report") });
    this.draft = new Draft(report);
    this.evidence = new Evidence(report.id, { ...this.host.study, organization: report.organization });
    this.editor = new Editor(sheet, { draft: this.draft, evidence: this.evidence, icon, say: this.say });
    this.outline = new Outline(outline, this.editor);
    this.priors = new Priors({ editor: this.editor, draft: this.draft, ask: this.ask, icon });
    beside.append(this.priors.chooser());
    this.checks = new Checks({ element: make("section", "", beside), ask: this.ask, report: report.id, go: (field, place) => this.go(field, place), remedies: { critical: (problem) => this.criticals.remedy(problem) } });
    this.checks.addEventListener("known", () => this.editor.showProblems(this.checks.problems));
    this.signing = new Signing(this);
    actButtons(this, make("section", "report-acts", beside, { "aria-label": t("What else can be done") }));
    this.lock = new Lock({ ask: this.ask, report: report.id, token: this.token });
    this.lock.adopt(report.lock);
    this.lock.addEventListener("lost", ({ detail }) => this.#lost(detail));
    this.evidence.load();
    this.checks.look();
    const { editor, bar } = this;
    editor.addEventListener("refreshed", () => bar.waits(editor.waiting.length));
    bar.waits(editor.waiting.length);
    this.editor.addEventListener("show", ({ detail }) => this.show(detail));
    this.work.begin();
    leftOverNotice(this);
    if (this.state === "writing") this.#keepSafe();
    else this.#waitForLock();
  }

  #keepSafe() {
    const { draft, journal, ask, token } = this;
    const page = `/reports/${this.report.id}/`;
    this.saver = new Saver({ draft, journal, ask, token, context: () => this.context(), renew: () => signedInAgain(this.me.name, page) });
    draft.addEventListener("changed", () => this.saver.changed());
    this.saver.addEventListener("state", () => this.#kept());
    this.saver.addEventListener("clash", ({ detail }) => this.#clash(detail.clashes));
    this.saver.addEventListener("taken", ({ detail }) => this.notices.set("taken", { text: t("Changed in another place and taken over here: {fields}.", { fields: this.names(detail.ids) }), actions: [[t("Good"), () => this.notices.clear("taken")]] }));
    this.saver.addEventListener("lost", ({ detail }) => this.#lost({ ...detail.body?.lock, detail: detail.message }));
    this.bar.keep(this.saver);
    this.#recover();
  }

  async #recover() {
    const { saver, report } = this;
    const entry = await this.journal.of(report.id);
    if (!entry || this.saver !== saver) return;
    const before = { ...this.draft.content };
    const { ids, clashes } = saver.recover(entry);
    if (ids.length) recoveredNotice(this, entry, ids, before);
    if (clashes.length) this.#clash(clashes, { theirs: t("On the server now"), lead: t("What was typed here before could not be saved, and the same fields were changed since.") });
  }

  async #clash(clashes, words = {}) {
    const title = t("Two texts for the same field");
    const lead = t("Somebody changed the same fields while you wrote. Nothing is lost: choose what stays. Marked is what changed since both began.");
    const values = await settleClashes(clashes, fieldsOf(this.draft.schema), { title, lead, mine: t("Yours"), theirs: t("Saved meanwhile"), ...words });
    this.saver?.settle(values);
    this.editor?.focus();
  }

  #kept() {
    const { saver } = this;
    this.bar.keep(saver);
    const { text, detail, tone } = savingWords(saver);
    const signIn = [[t("Sign in"), () => open(`${this.host.signIn}?next=${encodeURIComponent(`/reports/${this.report.id}/?signed-in=1`)}`, "_blank")]];
    if (tone === "trouble" && detail) this.notices.set("saving", { text: `${text}. ${detail}`, tone, actions: saver.state === "signed-out" ? signIn : saver.state === "offline" ? [[t("Try now"), () => saver.retry()]] : [] });
    else this.notices.clear("saving");
    if (saver.state === "saved") this.checks.soon();
    if (saver.state === "saved") this.dispatchEvent(new Event("saved"));
  }

  // --- the lock

  #lost(how) {
    if (this.state !== "writing") return;
    this.state = "locked";
    this.element.dataset.state = "locked";
    this.saver.lose(how.detail ?? "");
    this.lock.adopt({ mine: false, by: how.by ?? null });
    this.report.lock = { mine: false, by: how.by ?? null, until: how.until ?? null };
    this.bar.show(this.report, { writing: false });
    this.#waitForLock(true);
  }

  #waitForLock(lost = false) {
    this.editor.readOnly = true;
    lostNotice(this, lost);
    clearInterval(this.watch);
    this.watch = setInterval(() => this.look(), WATCH);
  }

  /** Looks at a report that another one writes: what it says by now, and whether it is free. */
  async look() {
    if (this.state !== "locked" || !this.report) return;
    const now = await this.ask(`/api/reports/${this.report.id}/?token=${encodeURIComponent(this.token)}`).catch(() => null);
    if (!now || this.state !== "locked") return;
    if (!now.may.includes("save")) return this.#begin(now);
    const changed = now.version !== this.draft.version;
    this.report = { ...this.report, lock: now.lock, version: now.version };
    if (changed && !this.saver) {
      this.draft.adopt(now);
      this.editor.adopt();
    }
    lostNotice(this, Boolean(this.saver));
    return undefined;
  }

  /** Takes the lock that nobody else holds, and goes on writing. */
  async takeOver() {
    try {
      await this.lock.take("");
      await this.writeOn();
    } catch (problem) {
      this.notices.set("take", { text: problem.body?.detail || problem.message, tone: "trouble" });
    }
  }

  /** The lock was taken: what is there now is written on. */
  async writeOn() {
    await this.open();
    this.editor?.focus();
  }

  // --- what others need

  /** What the page shows. Where a signed report is read, with whose images these became since: the page has said so. */
  context() {
    const said = this.host.context(this.report);
    return this.state === "reading" && this.report.reassigned ? { ...said, corrected: this.report.reassigned } : said;
  }

  /** The writer says that the text is about the patient whose the images are now. */
  async acceptPatient() {
    const { id, reassigned } = this.report;
    const body = { based_on: this.draft.version, content: {}, context: { ...this.host.context(this.report), corrected: reassigned }, token: this.token };
    try {
      await this.ask(`/api/reports/${id}/`, { method: "PUT", body });
      await this.writeOn();
    } catch (problem) {
      this.notices.set("accept", { text: problem.body?.detail || problem.message, tone: "trouble" });
    }
  }

  get patientLine() {
    return this.host.patientLine(this.report);
  }

  /** Names of fields, for people. */
  names(ids) {
    const fields = fieldsOf(this.report.schema);
    return ids.map((id) => fields.find((one) => one.id === id)).map((field, at) => field?.label || ids[at]).join(", ");
  }

  go(field, place) {
    this.editor?.go(field, place);
  }

  async show(link) {
    const found = this.evidence.find(link);
    if (!found) this.say(t("It is not there any more."));
    else if (!(await this.host.show(found))) this.say(t("The picture could not be shown."));
  }

  run(command, event = null) {
    return this.work.run(command, event);
  }

  /** It was signed: what is there now is read, not written. */
  signed(done) {
    this.journal.drop(this.report.id);
    this.say(t("Signed."));
    this.#end();
    this.dispatchEvent(new CustomEvent("signed", { detail: done }));
    this.open();
  }

  /** Something else was done with it: the page shows what became of it. */
  async acted(words, { look = true } = {}) {
    this.say(words);
    this.#end();
    this.state = "closed";
    this.acting = false;
    await this.open({ look });
  }

  /** News of the server. */
  news({ type, report, study_instance_uid: study, state, version }) {
    if (study === this.host.study.study_instance_uid && /^(measurements|key_images)\./.test(type)) this.evidence?.load();
    if (type === "critical.changed" && report === this.report?.id) this.criticals?.load();
    if (type !== "report.changed" || this.acting || !this.report || report !== this.report.id) return;
    if (this.state === "locked") this.look();
    else if (this.state === "reading" && version !== this.report.version) this.open({ look: true });
    else if (this.state === "writing" && state && state !== this.report.state && this.saver.settled) this.open();
  }

  // --- going away

  /** Gives the report over to another window: what is unsaved goes along in the journal. */
  async handOver() {
    await Promise.race([this.saver?.flush(), new Promise((resolve) => setTimeout(resolve, 1500))]);
    const token = this.token;
    this.#end();
    this.state = "closed";
    return { token };
  }

  #end() {
    clearInterval(this.watch);
    this.saver?.stop();
    this.lock?.stop();
    this.checks?.stop();
    this.criticals?.stop();
    Object.assign(this, { saver: null, editor: null, lock: null, draft: null, reading: null });
  }

  /** The page goes: the last words are sent, and the lock is given back where nothing is left to send. */
  #leave() {
    if (this.state !== "writing" || !this.saver) return;
    if (this.draft.unsaved.length && ["waiting", "saving", "offline"].includes(this.saver.state)) lastWord(this.saver.address, "PUT", this.saver.body());
    else lastWord(this.lock.address, "POST", { action: "release", token: this.token });
  }
}
