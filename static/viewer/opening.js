// Whose turn it is to be opened: the first viewport alone, so that its picture is there as soon as can be; then a few at a time.
// Imports nothing.

const AT_ONCE = 3;
const PATIENCE = 3000;

export class Opening {
  constructor() {
    this.waiting = [];
    this.busy = new Map();
    this.most = 1;
    this.soon = false;
  }

  /** Opens a viewport when its turn comes; it must have something to wake up to. */
  add(viewport) {
    if (!this.waiting.length && !this.busy.size) this.most = 1;
    if (!this.waiting.includes(viewport)) this.waiting.push(viewport);
    this.#soon();
  }

  /** It is shown, has failed, or is not wanted any more: the next one's turn. */
  done(viewport) {
    this.waiting = this.waiting.filter((one) => one !== viewport);
    if (!this.busy.has(viewport)) return;
    clearTimeout(this.busy.get(viewport));
    this.busy.delete(viewport);
    this.most = AT_ONCE;
    this.#soon();
  }

  /** When all that changes at once has changed: what is put up and replaced in the same breath is never asked for. */
  #soon() {
    if (this.soon) return;
    this.soon = true;
    queueMicrotask(() => {
      this.soon = false;
      this.#next();
    });
  }

  #next() {
    while (this.waiting.length && this.busy.size < this.most) {
      const viewport = this.waiting.shift();
      // One that takes long must not hold up all others.
      this.busy.set(viewport, setTimeout(() => this.done(viewport), PATIENCE));
      viewport.wake();
    }
  }
}
