// What a reader drew and the server has not acknowledged yet, kept over a reload. One entry for each measurement, under the
// reader's name: nobody sends what another one drew, and with their seal nobody reads it. Imports nothing.

const PREFIX = "farview.mark.";
const MOST = 200;
const LONGEST = 14 * 24 * 3600 * 1000;

export class Journal {
  /** @param storage as localStorage @param now milliseconds */
  constructor(storage, now = () => Date.now()) {
    this.storage = storage;
    this.now = now;
    this.seal = null;
    this.newest = new Map();
  }

  /** Keeps an entry {uid, reader, ...}; false where the browser has no room. Sealed once there is a seal. */
  keep(entry) {
    const whole = { ...entry, kept: this.now() };
    this.newest.set(entry.uid, whole);
    return this.seal ? this.#keepSealed(whole) : this.#put(whole.uid, whole);
  }

  /** Sealing takes a moment, in which the entry may have been dropped, or another taken its place. */
  async #keepSealed(whole) {
    const { uid, reader, kept } = whole;
    const sealed = await this.seal.shut(uid, whole);
    return this.newest.get(uid) !== whole || this.#put(uid, { uid, reader, kept, sealed });
  }

  #put(uid, row) {
    try {
      this.storage.setItem(PREFIX + uid, JSON.stringify(row));
      return true;
    } catch {
      return false;
    }
  }

  drop(uid) {
    this.newest.delete(uid);
    this.storage.removeItem(PREFIX + uid);
  }

  /** Entries of a reader for a study, the oldest first. What is no entry, or is of no use any more, goes; what another's seal
   *  holds stays. */
  async of(reader, study) {
    const names = Array.from({ length: this.storage.length }, (_, at) => this.storage.key(at)).filter((name) => name?.startsWith(PREFIX));
    const found = [];
    for (const name of names) {
      const entry = this.#read(name);
      if (entry && this.now() - entry.kept < LONGEST) found.push(entry);
      else this.storage.removeItem(name);
    }
    const mine = found.filter((entry) => entry.reader === reader);
    const opened = await Promise.all(mine.map((entry) => (entry.sealed ? (this.seal?.open(entry.uid, entry.sealed) ?? null) : entry)));
    return opened
      .filter((entry) => entry?.study?.study_instance_uid === study)
      .sort((a, b) => a.kept - b.kept)
      .slice(0, MOST);
  }

  #read(name) {
    try {
      return JSON.parse(this.storage.getItem(name));
    } catch {
      return null;
    }
  }
}
