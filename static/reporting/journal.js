// What was typed and the server has not acknowledged yet, kept in this browser (IndexedDB) at every key, under the writer's name:
// nobody sends what another one typed, and with their seal nobody reads it. Imports nothing.

const BASE = "farview-reports";
const STORE = "typed";
const LONGEST = 30 * 24 * 3600 * 1000;

const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

export class Journal {
  /** @param seal of `sealing`, or null @param factory as indexedDB */
  constructor(reader, seal = null, factory = globalThis.indexedDB) {
    this.reader = reader;
    this.seal = seal;
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
        const rows = await Promise.all(now.map(async ([key, entry]) => [key, entry && (await this.#shut(entry))]));
        const store = await this.#store("readwrite");
        await Promise.all(rows.map(([key, row]) => done(row ? store.put(row) : store.delete(key))));
      }
      this.broken = false;
      return true;
    } catch {
      this.broken = true;
      return false;
    }
  }

  /** As it lies on the disk: what is needed to find it, and all else sealed. */
  async #shut(entry) {
    const { key, reader, report, kept } = entry;
    return this.seal ? { key, reader, report, kept, sealed: await this.seal.shut(key, entry) } : entry;
  }

  /** As it was kept; null for what cannot be read here. */
  async #opened(row) {
    if (!row?.sealed) return row ?? null;
    return this.seal ? this.seal.open(row.key, row.sealed) : null;
  }

  /** What is kept of a report; null for nothing. */
  async of(report) {
    try {
      await this.writing;
      const found = await done((await this.#store("readonly")).get(this.#key(report)));
      return await this.#opened(found);
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
      const mine = found.filter((row) => row.reader === this.reader && !old.includes(row));
      return (await Promise.all(mine.map((row) => this.#opened(row)))).filter(Boolean);
    } catch {
      return [];
    }
  }
}
