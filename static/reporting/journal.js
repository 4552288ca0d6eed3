// What was typed and the server has not acknowledged yet, kept in this browser (IndexedDB) at every key, under the writer's name:
// nobody sends what another one typed. Imports nothing.

const BASE = "farview-reports";
const STORE = "typed";
const LONGEST = 30 * 24 * 3600 * 1000;

const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

export class Journal {
  /** @param factory as indexedDB */
  constructor(reader, factory = globalThis.indexedDB) {
    this.reader = reader;
    this.factory = factory;
    this.wanted = new Map();
    this.writing = null;
    this.broken = false;
  }

  #open() {
    this.base ??= new Promise((resolve, reject) => {
      const request = this.factory.open(BASE, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "key" });
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    return this.base;
  }

  async #store(mode) {
    const base = await this.#open();
    return base.transaction(STORE, mode).objectStore(STORE);
  }

  #key = (report) => `${this.reader}/${report}`;

  /** Keeps an entry {report, ...}: the newest of each report. Resolves when it is on the disk; false where the browser keeps none. */
  keep(entry) {
    this.wanted.set(this.#key(entry.report), { ...entry, key: this.#key(entry.report), reader: this.reader, kept: Date.now() });
    return this.#write();
  }

  /** Forgets what is kept of a report. */
  drop(report) {
    this.wanted.set(this.#key(report), null);
    return this.#write();
  }

  /** One write at a time; what comes meanwhile is written after it, the newest only. */
  #write() {
    this.writing ??= this.#all().finally(() => (this.writing = null));
    return this.writing;
  }

  async #all() {
    try {
      while (this.wanted.size) {
        const now = [...this.wanted];
        this.wanted.clear();
        const store = await this.#store("readwrite");
        await Promise.all(now.map(([key, entry]) => done(entry ? store.put(entry) : store.delete(key))));
      }
      this.broken = false;
      return true;
    } catch {
      this.broken = true;
      return false;
    }
  }

  /** What is kept of a report; null for nothing. */
  async of(report) {
    try {
      await this.writing;
      const found = await done((await this.#store("readonly")).get(this.#key(report)));
      return found ?? null;
    } catch {
      return null;
    }
  }

  /** Every entry of this writer. What nobody came back for in a month goes. */
  async all() {
    try {
      const found = await done((await this.#store("readonly")).getAll());
      const old = found.filter(({ kept }) => Date.now() - kept > LONGEST);
      if (old.length) {
        const store = await this.#store("readwrite");
        for (const { key } of old) store.delete(key);
      }
      return found.filter((entry) => entry.reader === this.reader && !old.includes(entry));
    } catch {
      return [];
    }
  }
}
