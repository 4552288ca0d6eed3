// The lock on a report: kept by a sign of life every 20 s, given back when the page goes, taken over with a reason.

const EVERY = 20000;

export class Lock extends EventTarget {
  /** @param ask as `rest` */
  constructor({ ask, report, token, every = EVERY }) {
    super();
    Object.assign(this, { ask, report, token, every });
    this.mine = false;
    this.by = null;
    this.timer = null;
  }

  get address() {
    return `/api/reports/${this.report}/lock/`;
  }

  /** What the server says of it: {mine, by, until}. */
  adopt({ mine = false, by = null, token = null } = {}) {
    this.mine = mine;
    this.by = by;
    if (token) this.token = token;
    clearInterval(this.timer);
    if (mine) this.timer = setInterval(() => this.beat(), this.every);
  }

  #asked(action, more = {}) {
    return this.ask(this.address, { method: "POST", body: { action, token: this.token, ...more } });
  }

  /** One sign of life. Only a clear no ends the lock: a line that is broken comes back. */
  async beat() {
    if (!this.mine) return;
    try {
      const answer = await this.#asked("heartbeat");
      const lock = answer?.lock ?? answer ?? {};
      if (lock.mine === false) this.lose(lock);
    } catch (problem) {
      if (problem.status === 423 || problem.status === 404) this.lose({ ...problem.body?.lock, detail: problem.message });
    }
  }

  lose(how = {}) {
    if (!this.mine) return;
    this.adopt({ mine: false, by: how.by ?? null });
    this.dispatchEvent(new CustomEvent("lost", { detail: how }));
  }

  /** Takes it from whoever holds it. Raises Refused. */
  async take(reason) {
    const answer = await this.#asked("take", { reason });
    const lock = answer?.lock ?? answer ?? {};
    this.adopt({ mine: true, ...lock });
    return answer;
  }

  async release() {
    if (!this.mine) return;
    this.adopt({ mine: false });
    await this.#asked("release").catch(() => {});
  }

  stop() {
    clearInterval(this.timer);
    this.mine = false;
  }
}
