// Files on their way: a few at a time, counted by bytes, cancelled or tried again. Imports only words.

import { t } from "../i18n.js";

const AT_ONCE = 3;
const TRIES = 3;
const WORTH_ANOTHER = new Set([0, 429, 502, 503, 504]);

/** One file by XMLHttpRequest, for the sake of its upload progress. Resolves to {status, body}. */
function post(address, token, { file, path }, { progress, signal }) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    const form = new FormData();
    form.append("path", path);
    form.append("file", file, file.name);
    request.open("POST", address);
    request.setRequestHeader("X-CSRFToken", token);
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    request.upload.onprogress = (event) => progress(event.lengthComputable ? (event.loaded / event.total) * file.size : 0);
    request.onload = () => resolve({ status: request.status, body: request.response, after: Number(request.getResponseHeader("Retry-After")) || 0 });
    request.onerror = () => resolve({ status: 0, body: null, after: 0 });
    request.onabort = () => resolve({ status: -1, body: null, after: 0 });
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(form);
  });
}

export class Queue extends EventTarget {
  /** @param address item => the door it goes to @param token the form's CSRF token */
  constructor({ address, token, send = post, pause = (ms) => new Promise((done) => setTimeout(done, ms)) }) {
    super();
    Object.assign(this, { address, token, send, pause });
    this.waiting = [];
    this.moving = new Map();
    this.failed = [];
    this.finished = 0;
    this.count = 0;
    this.bytes = 0;
    this.done = 0;
    this.stopper = new AbortController();
  }

  add(item) {
    this.waiting.push(item);
    this.count += 1;
    this.bytes += item.file.size;
    this.#go();
  }

  get busy() {
    return this.waiting.length > 0 || this.moving.size > 0;
  }

  /** Bytes sent so far. */
  get sent() {
    return [...this.moving.values()].reduce((sum, part) => sum + part, this.done);
  }

  cancel() {
    this.stopper.abort();
    this.stopper = new AbortController();
    for (const { file } of this.waiting) this.bytes -= file.size;
    this.count -= this.waiting.length;
    this.waiting = [];
    this.#tell();
  }

  retry() {
    const again = this.failed;
    this.failed = [];
    for (const item of again) {
      this.finished -= 1;
      this.count -= 1;
      this.done -= item.file.size;
      this.bytes -= item.file.size;
      this.add(item);
    }
    this.#tell();
  }

  #go() {
    while (this.waiting.length && this.moving.size < AT_ONCE) this.#one(this.waiting.shift());
  }

  async #one(item) {
    const { signal } = this.stopper;
    this.moving.set(item, 0);
    const progress = (part) => {
      if (!this.moving.has(item)) return;
      this.moving.set(item, part);
      this.#tell();
    };
    let answer = { status: -1 };
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      answer = await this.send(this.address(item), this.token, item, { progress, signal });
      if (!WORTH_ANOTHER.has(answer.status) || attempt === TRIES) break;
      await this.pause(Math.max(answer.after * 1000, 500 * 2 ** attempt));
    }
    this.moving.delete(item);
    this.#settle(item, signal.aborted ? { status: -1 } : answer);
    this.#go();
    this.#tell();
  }

  #settle(item, { status, body }) {
    if (status === -1) {
      this.count -= 1;
      this.bytes -= item.file.size;
      return;
    }
    this.finished += 1;
    this.done += item.file.size;
    const outcomes = body?.outcomes ?? [];
    const ok = status === 200 && outcomes.length;
    if (!ok) this.failed.push(item);
    const reason = body?.detail ?? (status ? t("The server answered {status}.", { status }) : t("The connection was lost."));
    const failure = { name: item.path, outcome: "failed", reason, study_instance_uid: "" };
    this.dispatchEvent(new CustomEvent("outcome", { detail: { status, outcomes: ok ? outcomes : [...outcomes, failure] } }));
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }
}
