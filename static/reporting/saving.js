// Brings a draft to the server while it is written: soon after the last key, and at the latest a moment after the first one that
// is not saved. What the server has not acknowledged lies in the journal. Knows nothing of the page.

import { differing, merged } from "./merging.js";

const QUIET = 600;
const CEILING = 1300;
const PAUSES = [1000, 2000, 4000, 8000, 15000];

const CLOCK = { now: () => Date.now(), later: (run, ms) => setTimeout(run, ms), cancel: (timer) => clearTimeout(timer) };

const WRONG_PATIENT = "wrong_patient";
const isWrongPatient = (body) => body?.code === WRONG_PATIENT || Boolean(body?.problems?.some(({ rule }) => rule === WRONG_PATIENT));
/** A door that knows who asks gives a word for its refusal; without one, nobody is signed in, or with an old form. */
const isSignedOut = (status, body) => status === 401 || (status === 403 && !body?.code);

/** States: "saved", "waiting" (typed, about to be sent), "saving", "offline", "signed-out", "refused", "conflict", "lost" (the lock),
 *  "wrong-patient", "stopped". */
export class Saver extends EventTarget {
  /** @param ask as `rest` @param journal as Journal @param context what the page shows: {study, patient_id, accession_number}
   *  @param renew resolves to "again" once the same person is signed in again */
  constructor({ draft, ask, journal, context, token, renew = async () => "out", clock = CLOCK }) {
    super();
    Object.assign(this, { draft, ask, journal, context, token, renew, clock });
    this.state = "saved";
    this.problem = "";
    this.savedAt = null;
    this.first = null;
    this.changes = 0;
    this.tries = 0;
    this.timer = null;
    this.sending = null;
    this.clashes = [];
  }

  get address() {
    return `/api/reports/${this.draft.report.id}/`;
  }

  get settled() {
    return !this.sending && !this.draft.unsaved.length;
  }

  /** Something was typed. */
  changed() {
    this.changes += 1;
    this.first ??= this.clock.now();
    this.#keep();
    if (this.state === "saved" || this.state === "refused") this.#enter("waiting");
    this.#soon();
  }

  #keep() {
    const { draft } = this;
    const { id, context, template } = draft.report;
    return this.journal.keep({ report: id, study: context?.study ?? "", template: template?.id ?? null, based_on: draft.version, base: draft.base, content: draft.content, fills: draft.fills });
  }

  #enter(state, problem = "") {
    this.state = state;
    this.problem = problem;
    this.dispatchEvent(new CustomEvent("state", { detail: { state, problem } }));
  }

  #soon(at = null) {
    if (this.sending || !["waiting", "saving", "offline"].includes(this.state)) return;
    this.clock.cancel(this.timer);
    const now = this.clock.now();
    const due = at ?? (this.state === "offline" ? now + PAUSES[Math.min(this.tries, PAUSES.length - 1)] : Math.min(now + QUIET, this.first + CEILING));
    this.timer = this.clock.later(() => this.#send(), Math.max(0, due - now));
  }

  /** Sends now what is not saved; resolves to true when the server has all of it. */
  async flush() {
    while (this.sending || (this.draft.unsaved.length && ["saved", "waiting", "saving", "offline", "refused"].includes(this.state))) {
      const before = this.state;
      await (this.sending ?? this.#send());
      if (this.state !== "waiting" && this.state !== "saved" && this.state === before) break;
      if (["offline", "refused"].includes(this.state)) break;
    }
    return this.settled;
  }

  /** The line stands again, or the page is looked at: no need to wait for the next try. */
  retry() {
    if (this.state === "offline") this.#soon(this.clock.now());
    if (this.state === "signed-out") this.#signedIn();
  }

  #send() {
    this.clock.cancel(this.timer);
    if (!this.draft.unsaved.length) {
      this.first = null;
      if (this.state !== "saved") this.#saved();
      return Promise.resolve();
    }
    this.sending = this.#sent().finally(() => {
      this.sending = null;
      if (this.draft.unsaved.length) this.#soon();
    });
    return this.sending;
  }

  async #sent() {
    const { draft, changes } = this;
    const sent = { content: draft.content, fills: draft.fills };
    this.first = null;
    if (this.state !== "offline") this.#enter("saving");
    try {
      const answer = await this.ask(this.address, { method: "PUT", body: this.body(sent) });
      this.tries = 0;
      this.#acknowledged(answer?.version ?? draft.version + 1, sent, changes);
    } catch (problem) {
      if (problem.status === undefined) throw problem;
      this.first ??= this.clock.now();
      this.#refused(problem, sent, changes);
    }
  }

  /** What a save says. */
  body({ content, fills } = this.draft) {
    return { based_on: this.draft.version, content, fills, context: this.context(), token: this.token };
  }

  #acknowledged(version, { content, fills }, changes) {
    this.draft.acknowledge(version, content, fills);
    if (changes === this.changes) this.#saved();
    else {
      this.#keep();
      this.first ??= this.clock.now();
      this.#enter("waiting");
    }
  }

  #saved() {
    this.savedAt = this.clock.now();
    this.journal.drop(this.draft.report.id);
    this.#enter("saved");
  }

  #refused(problem, sent, changes) {
    const { status, body, message } = problem;
    if (status === 0 || status === 429 || status >= 500) {
      this.#enter("offline", message);
      this.tries += 1;
    } else if (isSignedOut(status, body)) this.#signedOut(message);
    else if (status === 423) this.#lost(body, message);
    else if (status === 409 && isWrongPatient(body)) this.#enter("wrong-patient", message);
    else if (status === 409 && body?.content) this.#overtaken(body, sent, changes);
    else this.#enter("refused", body?.detail || message);
  }

  /** Somebody else, or this page in a request whose answer never came, saved meanwhile. */
  #overtaken({ version, content: theirs, fills: theirFills }, sent, changes) {
    const { draft } = this;
    if (!differing(sent.content, theirs).length) {
      this.#acknowledged(version, sent, changes);
      return;
    }
    const base = draft.base;
    const found = merged(base, draft.content, theirs);
    const fills = { ...draft.fills };
    for (const id of found.theirs) fills[id] = theirFills?.[id] ?? "touched";
    draft.acknowledge(version, theirs, theirFills ?? draft.baseFills);
    draft.replace(found.content, fills, found.theirs);
    this.#keep();
    this.clashes = found.clashes;
    if (found.theirs.length) this.dispatchEvent(new CustomEvent("taken", { detail: { ids: found.theirs } }));
    this.first = this.clock.now();
    this.#enter(found.clashes.length ? "conflict" : "waiting");
    if (found.clashes.length) this.dispatchEvent(new CustomEvent("clash", { detail: { clashes: found.clashes } }));
  }

  /** What was decided of fields that both sides changed: {id: value}. */
  settle(values) {
    const { draft } = this;
    const fills = { ...draft.fills };
    for (const id of Object.keys(values)) fills[id] = "touched";
    this.clashes = [];
    draft.replace({ ...draft.content, ...values }, fills, Object.keys(values));
    this.#enter("waiting");
    this.changed();
  }

  /** Begins with what an earlier page typed and could not send; {ids, clashes} of it. */
  recover(entry) {
    const { draft } = this;
    const found = merged(entry.base ?? {}, entry.content ?? {}, draft.content);
    const ids = differing(draft.content, found.content);
    if (!ids.length && !found.clashes.length) {
      this.journal.drop(draft.report.id);
      return { ids: [], clashes: [] };
    }
    const fills = { ...draft.fills };
    for (const id of ids) fills[id] = entry.fills?.[id] ?? "touched";
    draft.replace(found.content, fills, ids);
    this.first = this.clock.now();
    this.changes += 1;
    this.#keep();
    this.clashes = found.clashes;
    this.#enter(found.clashes.length ? "conflict" : "waiting");
    if (!found.clashes.length) this.#soon(this.clock.now());
    return { ids: ids.filter((id) => !found.clashes.some(({ field }) => field === id)), clashes: found.clashes };
  }

  #lost(body, message) {
    this.#enter("lost", message);
    this.dispatchEvent(new CustomEvent("lost", { detail: { body, message } }));
  }

  /** The lock was seen to be gone, or taken back. */
  lose(message = "") {
    if (this.state === "lost") return;
    this.clock.cancel(this.timer);
    this.#enter("lost", message);
  }

  again() {
    if (this.state !== "lost" && this.state !== "refused") return;
    this.#enter(this.draft.unsaved.length ? "waiting" : "saved");
    if (this.draft.unsaved.length) this.changed();
  }

  #signedOut(message) {
    this.#enter("signed-out", message);
    this.timer = this.clock.later(() => this.#signedIn(), 3000);
  }

  async #signedIn() {
    this.clock.cancel(this.timer);
    if (this.state !== "signed-out" || this.renewing) return;
    this.renewing = true;
    const found = await this.renew().catch(() => "out");
    this.renewing = false;
    if (this.state !== "signed-out") return;
    if (found === "again") {
      this.#enter("waiting");
      this.#soon(this.clock.now());
    } else {
      if (found !== "out") this.#enter("signed-out", found);
      this.timer = this.clock.later(() => this.#signedIn(), 3000);
    }
  }

  /** No more saves: the report is signed, or written in another window. */
  stop() {
    this.clock.cancel(this.timer);
    this.#enter("stopped");
  }
}
