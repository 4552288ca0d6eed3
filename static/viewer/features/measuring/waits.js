// What was drawn on a preview and waits for the exact picture: kept over a reload of the page, under the reader's name. Each
// browser tab keeps its own. Imports nothing.

const PREFIX = "farview.waits.";
const MOST = 50;

export class Waits {
  /** @param storage as sessionStorage */
  constructor(storage) {
    this.storage = storage;
    this.reader = null;
  }

  /** Keeps one: {uid, edit, study, draft, values, more}; `uid` names the measurement that comes of it, so that it comes once. */
  keep({ uid, edit, study, draft, values, more }) {
    try {
      this.storage.setItem(PREFIX + uid, JSON.stringify({ uid, edit, study, draft, values, more, reader: this.reader, at: Date.now() }));
    } catch {
      // without room it lives as long as the page
    }
  }

  drop(uid) {
    this.storage.removeItem(PREFIX + uid);
  }

  /** Those of this reader on a study, the oldest first. */
  of(study) {
    const names = Array.from({ length: this.storage.length }, (_, at) => this.storage.key(at)).filter((name) => name?.startsWith(PREFIX));
    return names
      .map((name) => this.#read(name))
      .filter((one) => one && one.reader === this.reader && one.study?.study_instance_uid === study)
      .sort((a, b) => a.at - b.at)
      .slice(0, MOST);
  }

  #read(name) {
    try {
      const one = JSON.parse(this.storage.getItem(name));
      if (Array.isArray(one?.draft?.points)) return one;
    } catch {
      // half a word is no drawing
    }
    this.storage.removeItem(name);
    return null;
  }
}
