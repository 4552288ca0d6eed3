// What a reader drew and the server has not acknowledged yet, kept over a reload. One entry for each measurement, under the
// reader's name: nobody sends what another one drew. Imports nothing.

const PREFIX = "farview.mark.";
const MOST = 200;
const LONGEST = 14 * 24 * 3600 * 1000;

export class Journal {
  /** @param storage as localStorage @param now milliseconds */
  constructor(storage, now = () => Date.now()) {
    this.storage = storage;
    this.now = now;
  }

  /** Keeps an entry {uid, reader, ...}; false where the browser has no room. */
  keep(entry) {
    try {
      this.storage.setItem(PREFIX + entry.uid, JSON.stringify({ ...entry, kept: this.now() }));
      return true;
    } catch {
      return false;
    }
  }

  drop(uid) {
    this.storage.removeItem(PREFIX + uid);
  }

  /** Entries of a reader for a study, the oldest first. What cannot be read, or is of no use any more, goes. */
  of(reader, study) {
    const names = Array.from({ length: this.storage.length }, (_, at) => this.storage.key(at)).filter((name) => name?.startsWith(PREFIX));
    const found = [];
    for (const name of names) {
      const entry = this.#read(name);
      if (entry && this.now() - entry.kept < LONGEST) found.push(entry);
      else this.storage.removeItem(name);
    }
    return found
      .filter((entry) => entry.reader === reader && entry.study?.study_instance_uid === study)
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
