// The windows of one reader that have to do with the same report: viewer pages, and the page it is written in. They hear each other
// by name of the study. Imports nothing.

const NAME = "farview.reporting";
const PATIENCE = 300;

export class Bridge extends EventTarget {
  /** @param study Study Instance UID of this page */
  constructor(study) {
    super();
    this.study = study;
    this.me = crypto.randomUUID();
    this.channel = new BroadcastChannel(NAME);
    this.channel.addEventListener("message", ({ data }) => {
      if (data?.study === this.study && data.from !== this.me && (!data.to || data.to === this.me)) this.dispatchEvent(new CustomEvent(data.kind, { detail: data }));
    });
  }

  send(kind, more = {}) {
    this.channel.postMessage({ ...more, kind, study: this.study, from: this.me });
  }

  /** Asks all others; the first answer of a kind, or null when nobody says it in time. */
  ask(kind, answer, more = {}, patience = PATIENCE) {
    const nonce = crypto.randomUUID();
    return new Promise((resolve) => {
      const done = (detail) => {
        clearTimeout(timer);
        this.removeEventListener(answer, heard);
        resolve(detail);
      };
      const heard = ({ detail }) => detail.nonce === nonce && done(detail);
      const timer = setTimeout(done, patience, null);
      this.addEventListener(answer, heard);
      this.send(kind, { ...more, nonce });
    });
  }

  on(kind, heard) {
    this.addEventListener(kind, ({ detail }) => heard(detail));
  }
}
