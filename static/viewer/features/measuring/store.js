// The measurements of the studies on the desk: what the server holds, and over it what this reader wants and the server has not
// acknowledged. Every wish is sent until it is acknowledged or refused; a refusal stays in sight, with the way to try again.

import { Refused, rest, studyDoor } from "../rest.js";

const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 30000;
const SENT = ["kind", "label", "series", "stack", "sop_instance_uid", "frame_number", "space", "points", "view", "follows", "known"];

/** A UID of a random number (PS3.5 B.2), so that a measurement has its name before the server has heard of it. */
export function newUid(bytes = crypto.getRandomValues(new Uint8Array(16))) {
  const random = [...bytes];
  random[6] = (random[6] & 0x0f) | 0x40;
  random[8] = (random[8] & 0x3f) | 0x80;
  return `2.25.${random.reduce((number, byte) => (number << 8n) | BigInt(byte), 0n)}`;
}

/** The answer of the server as it is kept here. */
const taken = (mark, study) => ({ ...mark, study_instance_uid: study.study_instance_uid, study });

/** Only temporary: the line, or a server that has no room now. */
const passing = ({ status }) => status === 0 || status === 429 || status >= 500;

export class Store extends EventTarget {
  /** @param ask as `rest` @param journal as Journal */
  constructor({ ask = rest, journal, later = (run, ms) => setTimeout(run, ms) }) {
    super();
    this.ask = ask;
    this.journal = journal;
    this.later = later;
    this.reader = null;
    this.studies = new Map();
    this.held = new Map();
    this.wanted = new Map();
    this.sending = new Set();
    this.written = new Map();
    this.writes = 0;
    this.stamps = 0;
    this.done = [];
    this.undone = [];
  }

  // --- what there is

  /** Measurements as the reader wants them by now, the oldest first. */
  list(study = null) {
    const uids = new Set([...this.held.keys(), ...this.wanted.keys()]);
    return [...uids]
      .map((uid) => this.get(uid))
      .filter((mark) => mark && (!study || mark.study_instance_uid === study))
      .sort((a, b) => String(a.created_at ?? "~").localeCompare(String(b.created_at ?? "~")));
  }

  /** One of them; null where there is none or it was deleted. `state`: "kept", "sending", "waiting" or "failed". */
  get(uid) {
    const held = this.held.get(uid);
    const wish = this.wanted.get(uid);
    if (!wish) return held && !held.deleted ? { ...held, state: "kept", problem: "" } : null;
    if (wish.deleted && wish.state !== "failed") return null;
    const { study, fields, state, problem } = wish;
    const moved = fields.points && JSON.stringify(fields.points) !== JSON.stringify(held?.points);
    return {
      source: "reader",
      author: this.reader?.shown ?? "",
      created_at: wish.at,
      ...held,
      ...fields,
      series_instance_uid: fields.series ?? held?.series_instance_uid,
      uid,
      study,
      study_instance_uid: study.study_instance_uid,
      values: moved || !held ? (wish.values ?? {}) : held.values,
      notes: moved || !held ? [] : held.notes,
      state,
      problem,
    };
  }

  /** {loaded, trouble, earlier, objects, unread} of a study that is followed. */
  known(study) {
    return this.studies.get(study) ?? { loaded: false, trouble: null, earlier: [], objects: 0, unread: [] };
  }

  #told(what = {}) {
    this.dispatchEvent(new CustomEvent("changed", { detail: what }));
  }

  // --- from the server

  /** Follows a study: {study_instance_uid, organization}. Fetched once, and again whenever news says so; `priors`: with the
   *  measurements of earlier studies, to be carried on. */
  async follow(study, priors = false) {
    const uid = study.study_instance_uid;
    if (this.studies.has(uid)) return;
    this.studies.set(uid, { study, loaded: false, trouble: null, priors, earlier: [] });
    await this.fetch(uid);
    if (this.reader) this.#resend(study);
  }

  /** Who reads; what that person drew and could not be stored before is sent now. */
  knows(reader) {
    this.reader = reader;
    for (const { study } of this.studies.values()) this.#resend(study);
  }

  async #resend(study) {
    for (const entry of await this.journal.of(this.reader.name, study.study_instance_uid)) {
      if (this.wanted.has(entry.uid)) continue;
      this.wanted.set(entry.uid, { ...entry, study, state: "waiting", problem: "", tries: 0, stamp: (this.stamps += 1) });
      this.#send(entry.uid);
    }
  }

  /** Fetches a followed study anew; one fetch at a time, the newest news wins. */
  async fetch(uid) {
    const row = this.studies.get(uid);
    if (!row) return;
    if (row.fetching) {
      row.again = true;
      return;
    }
    row.fetching = true;
    const writes = this.writes;
    try {
      const answer = await this.ask(this.#door(row.study, "", row.priors ? { with_priors: "1" } : {}));
      if (writes === this.writes) this.#adopt(row.study, answer);
      else row.again = true;
      row.loaded = true;
      row.trouble = null;
    } catch (problem) {
      row.trouble = problem;
      if (problem instanceof Refused && passing(problem)) this.later(() => this.fetch(uid), 4000);
    }
    row.fetching = false;
    this.#told({ study: uid });
    if (row.again) {
      row.again = false;
      await this.fetch(uid);
    }
  }

  #door(study, more = "", query = {}) {
    const address = studyDoor(study, `measurements/${more}`);
    const asked = new URLSearchParams(query).toString();
    return asked ? `${address}${address.includes("?") ? "&" : "?"}${asked}` : address;
  }

  #adopt(study, { measurements = [], objects = 0, priors = [], not_read: unread = [] }) {
    const here = new Set(measurements.map(({ uid }) => uid));
    for (const mark of this.held.values()) {
      if (mark.study_instance_uid === study.study_instance_uid && !here.has(mark.uid)) this.held.set(mark.uid, { ...mark, deleted: true });
    }
    for (const mark of measurements) {
      const before = this.held.get(mark.uid);
      if (!before || before.deleted || (mark.version ?? 0) >= (before.version ?? 0)) this.held.set(mark.uid, taken(mark, study));
    }
    Object.assign(this.studies.get(study.study_instance_uid), { objects, earlier: priors, unread });
  }

  // --- wishes

  /** A new measurement; its uid. `fields` as the server's door wants them; `values` are shown until it answers. */
  create(study, fields, values = {}, uid = newUid()) {
    if (this.get(uid)) return uid;
    this.#record(uid, study, null, { fields, deleted: false });
    this.#wish(uid, study, { fields, deleted: false, values });
    return uid;
  }

  edit(uid, part, values = null) {
    const mark = this.get(uid);
    if (!mark) return;
    const before = this.#fieldsOf(mark);
    this.#record(uid, mark.study, { fields: before, deleted: false }, { fields: { ...before, ...part }, deleted: false });
    this.#wish(uid, mark.study, { fields: part, deleted: false, values });
  }

  remove(uid) {
    const mark = this.get(uid);
    if (!mark) return;
    const fields = this.#fieldsOf(mark);
    this.#record(uid, mark.study, { fields, deleted: false }, { fields, deleted: true });
    this.#wish(uid, mark.study, { fields: {}, deleted: true });
  }

  /** Sends once more what was refused or waits. */
  retry(uid) {
    const wish = this.wanted.get(uid);
    if (wish) this.#send(uid);
  }

  /** Gives up what could not be saved: back to what the server holds. */
  discard(uid) {
    this.wanted.delete(uid);
    this.journal.drop(uid);
    this.#forget(uid);
    this.#told({ uid });
  }

  #fieldsOf(mark) {
    const fields = { ...mark, series: mark.series_instance_uid };
    return Object.fromEntries(SENT.filter((name) => fields[name] !== undefined).map((name) => [name, fields[name]]));
  }

  #wish(uid, study, { fields, deleted, values = null }) {
    const before = this.wanted.get(uid);
    const held = this.held.get(uid);
    this.wanted.set(uid, {
      uid,
      study,
      fields: { ...before?.fields, ...fields },
      deleted,
      values: values ?? before?.values ?? null,
      sent: before?.sent ?? false,
      version: before?.version ?? held?.version ?? null,
      at: before?.at ?? new Date().toISOString(),
      stamp: (this.stamps += 1),
      state: "sending",
      problem: "",
      tries: 0,
    });
    this.#keep(uid);
    this.#told({ uid });
    this.#send(uid);
  }

  #keep(uid) {
    const { study, fields, deleted, sent, version, at } = this.wanted.get(uid);
    const { study_instance_uid, organization } = study;
    this.journal.keep({ uid, reader: this.reader?.name ?? "", study: { study_instance_uid, organization }, fields, deleted, sent, version, at });
  }

  async #send(uid) {
    const wish = this.wanted.get(uid);
    if (!wish || this.sending.has(uid)) return;
    this.sending.add(uid);
    const { stamp } = wish;
    wish.state = "sending";
    try {
      const answer = await this.#asked(uid, wish);
      this.#acknowledged(uid, stamp, answer);
    } catch (problem) {
      if (!(problem instanceof Refused)) throw problem;
      this.#refused(uid, problem);
    } finally {
      this.sending.delete(uid);
    }
    const now = this.wanted.get(uid);
    if (now && now.stamp !== stamp) this.#send(uid);
  }

  /** What the server answers to a wish: the measurement as it holds it, or null where there is none now. */
  async #asked(uid, wish) {
    const { study, fields, deleted } = wish;
    const held = this.held.get(uid);
    const known = held && !held.deleted;
    if (deleted) {
      if (!held && !wish.sent) return null;
      return this.ask(this.#door(study, `${uid}/`, held ? { version: wish.version ?? held.version } : {}), { method: "DELETE" }).catch((problem) => {
        if (problem.status === 404) return null;
        throw problem;
      });
    }
    if (held) {
      const back = known ? {} : { deleted: false };
      return this.ask(this.#door(study, `${uid}/`), { method: "PUT", body: { ...fields, ...back, version: wish.version ?? held.version } });
    }
    wish.sent = true;
    this.#keep(uid);
    return this.ask(this.#door(study), { method: "POST", body: { uid, ...fields } });
  }

  #acknowledged(uid, stamp, answer) {
    this.writes += 1;
    const wish = this.wanted.get(uid);
    const study = wish?.study ?? this.held.get(uid)?.study;
    if (answer) {
      this.held.set(uid, taken(answer, study));
      this.written.set(uid, answer.version);
    } else if (this.held.has(uid)) this.held.set(uid, { ...this.held.get(uid), deleted: true });
    if (wish?.stamp === stamp) {
      this.wanted.delete(uid);
      this.journal.drop(uid);
    } else if (wish) wish.version = answer?.version ?? wish.version;
    this.#told({ uid, saved: answer?.deleted ? null : answer });
  }

  #refused(uid, problem) {
    const wish = this.wanted.get(uid);
    if (!wish) return;
    const current = problem.status === 409 ? currentOf(problem.body) : null;
    if (current) {
      this.#overtaken(uid, wish, current);
      return;
    }
    wish.problem = problem.message;
    wish.state = passing(problem) ? "waiting" : "failed";
    if (wish.state === "waiting") {
      const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** wish.tries);
      wish.tries += 1;
      this.later(() => this.wanted.get(uid) === wish && wish.state === "waiting" && this.#send(uid), pause);
    }
    this.#told({ uid, problem: wish.problem, state: wish.state });
  }

  /** Somebody else changed it meanwhile: theirs is shown. The same thing sent twice is no conflict. */
  #overtaken(uid, wish, current) {
    const again = !wish.deleted && Object.entries(wish.fields).every(([name, value]) => JSON.stringify(current[name === "series" ? "series_instance_uid" : name] ?? null) === JSON.stringify(value ?? null));
    const restoring = current.deleted && !wish.deleted && wish.version !== current.version && this.written.has(uid);
    this.writes += 1;
    this.held.set(uid, { ...taken(current, wish.study), deleted: Boolean(current.deleted) });
    if (restoring) {
      wish.version = current.version;
      wish.stamp = (this.stamps += 1);
      return;
    }
    this.wanted.delete(uid);
    this.journal.drop(uid);
    this.written.set(uid, again ? current.version : null);
    if (!again) this.#forget(uid);
    this.#told({ uid, overtaken: !again });
  }

  // --- undo and redo, of this reader in this page

  #record(uid, study, before, after) {
    this.done.push({ uid, study, before, after });
    if (this.done.length > 200) this.done.shift();
    this.undone = [];
  }

  #forget(uid) {
    this.done = this.done.filter((one) => one.uid !== uid);
    this.undone = this.undone.filter((one) => one.uid !== uid);
    this.written.delete(uid);
  }

  /** Takes the last change back; {uid, deleted} of what is so now, {refused: true} where another has changed it since, null
   *  where there is nothing. */
  undo() {
    return this.#step(this.done, this.undone, "before");
  }

  redo() {
    return this.#step(this.undone, this.done, "after");
  }

  #step(from, to, side) {
    const entry = from.pop();
    if (!entry) return null;
    const { uid, study } = entry;
    const held = this.held.get(uid);
    const foreign = !this.wanted.has(uid) && held && !held.deleted && this.written.has(uid) && this.written.get(uid) !== held.version;
    if (foreign) {
      this.#forget(uid);
      return { uid, refused: true };
    }
    to.push(entry);
    const state = entry[side] ?? { fields: {}, deleted: true };
    this.#wish(uid, study, state.deleted ? { fields: {}, deleted: true } : { fields: state.fields, deleted: false });
    return { uid, deleted: state.deleted };
  }
}

/** The newest version that a 409 brings along. */
export function currentOf(body) {
  const found = body?.current ?? body?.measurement ?? body;
  return found?.uid && found.points ? found : null;
}
