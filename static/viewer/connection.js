// One WebSocket for all viewports of the page. Merges changes per animation frame, reconnects by itself and reopens every
// channel where its last picture was. Hands whole messages to the channels; knows nothing of canvases.

import { frameShown, hello, measure, mergedView, parseFrame, parseText, seriesOpen, viewChange, viewportClose } from "./protocol.js";

const FIRST_DELAY = 250;
const LONGEST_DELAY = 8000;
const SILENCE = 30000;
const REFUSED = new Set(["bad_view", "bad_message", "too_large"]);
const SIGNED_OUT = new Set([4401, 4403]);

/** Milliseconds before attempt n (0-based): doubling, with up to a quarter of jitter so that pages do not return as one. */
export function backoff(attempt, random = Math.random()) {
  return Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** attempt) * (1 + random / 4);
}

/** One series opened for one viewport. Every opening has a name of its own, so that no late frame of another can reach it. */
class Channel {
  constructor(connection, series, view, handlers) {
    this.connection = connection;
    this.series = series;
    this.handlers = handlers;
    this.base = view;
    this.header = null;
    this.closed = false;
    this.socket = null;
    this.measuring = new Map();
    this.#restart();
  }

  #restart() {
    this.name = this.connection.nextName();
    this.#unmeasured();
    this.counter = 0;
    this.changes = 0;
    this.unanswered = [];
    this.unsent = null;
    this.unsentIndex = null;
    this.acknowledged = -1;
    this.answered = true;
    this.awaited = false;
    this.asked = performance.now();
  }

  /** What the reader wants to see by now: what was last drawn, and every change since. */
  get wish() {
    let view = this.header?.view ?? this.base;
    for (const { part } of this.unanswered) view = mergedView(view, part);
    return this.unsent ? mergedView(view, this.unsent) : view;
  }

  /** True when the last picture answers everything that was asked. */
  get settled() {
    return this.header !== null && !this.awaited && !this.unsent && !this.unanswered.length;
  }

  /** Changes of one moment travel together; `changes` counts each of them. */
  change(part, index = null) {
    this.changes += 1;
    this.unsent = this.unsent ? mergedView(this.unsent, part) : { ...part };
    this.unsentIndex = index;
    if (this.answered) this.asked = performance.now();
    this.answered = false;
    this.connection.flushSoon();
  }

  shown(index) {
    if (index <= this.acknowledged) return;
    this.acknowledged = index;
    this.connection.send(frameShown(this.name, index));
  }

  close() {
    if (this.closed) return;
    this.closed = true;
    this.#unmeasured();
    this.connection.drop(this);
  }

  /** What lies under points of a frame: a promise of `measure.result`, of an `error`, or of null when no answer will come. */
  measure(index, kind, points) {
    this.measures = (this.measures ?? 0) + 1;
    const id = `m${this.measures}`;
    if (this.closed || !this.connection.send(measure(this.name, index, id, kind, points))) return Promise.resolve(null);
    return new Promise((answer) => this.measuring.set(id, answer));
  }

  measured(message) {
    this.measuring.get(message.id)?.(message);
    this.measuring.delete(message.id);
  }

  #unmeasured() {
    for (const answer of this.measuring.values()) answer(null);
    this.measuring.clear();
  }

  /** Sends what waits; called once per animation frame. */
  flush() {
    if (!this.unsent) return;
    const part = this.unsent;
    this.counter += 1;
    if (!this.connection.send(viewChange(this.name, this.counter, part, this.unsentIndex))) {
      this.counter -= 1;
      return;
    }
    this.unanswered.push({ change: this.counter, part });
    this.unsent = null;
  }

  /** (Re)opens on the present socket, from the newest wish. */
  open() {
    this.base = this.wish;
    const again = this.header !== null;
    this.#restart();
    this.answered = false;
    this.awaited = true;
    this.opening = performance.now();
    this.connection.send(seriesOpen(this.name, this.series, this.base));
    this.handlers.opening?.(again);
  }

  opened(message) {
    if (this.header === null && message.view) this.base = message.view;
    this.handlers.opened?.(message);
  }

  frame(header, payload) {
    this.header = header;
    this.awaited = false;
    const counted = header.change ?? 0;
    this.unanswered = this.unanswered.filter(({ change }) => change > counted);
    if (this.settled) this.answered = true;
    else this.asked = performance.now();
    this.handlers.frame(header, payload);
  }

  /** A refused change is taken back: the picture that stands is the truth. Where only the picture could not be had, the
   *  wish stands, so that the reader can go on from there. */
  error(message) {
    if (REFUSED.has(message.code)) this.unanswered = [];
    if (message.code !== "busy") this.answered = true;
    this.handlers.error?.(message);
  }
}

export class Connection extends EventTarget {
  constructor(url, { build = null, makeSocket = (address) => new WebSocket(address), signedIn = async () => true } = {}) {
    super();
    this.url = url;
    this.build = build;
    this.makeSocket = makeSocket;
    this.signedIn = signedIn;
    this.channels = new Map();
    this.state = "idle";
    this.attempt = 0;
    this.names = 0;
    this.scheduled = false;
    this.timer = null;
    this.received = 0;
    globalThis.addEventListener?.("online", () => this.retryNow());
    this.watch = setInterval(() => this.#watch(), 5000);
  }

  nextName() {
    this.names += 1;
    return `v${this.names}`;
  }

  connect() {
    clearTimeout(this.timer);
    this.timer = null;
    this.#become(this.attempt ? "reconnecting" : "connecting");
    const socket = this.makeSocket(this.url);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onopen = () => this.#opened(socket);
    socket.onmessage = (event) => socket === this.socket && this.#message(event.data);
    socket.onclose = (event) => socket === this.socket && this.#closed(event);
  }

  retryNow() {
    if (this.state === "reconnecting" && this.timer !== null) this.connect();
  }

  /** Opens a series; `view` says only what is wanted, the server chooses the rest. */
  open(series, view, handlers) {
    const channel = new Channel(this, series, view, handlers);
    this.channels.set(channel.name, channel);
    if (this.state === "open") this.reopen(channel);
    return channel;
  }

  drop(channel) {
    if (this.channels.delete(channel.name)) this.send(viewportClose(channel.name));
  }

  /** True when it was handed to a live socket. */
  send(message) {
    if (this.state !== "open" || this.socket.readyState !== 1) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  flushSoon() {
    if (this.scheduled) return;
    this.scheduled = true;
    const flush = () => {
      this.scheduled = false;
      for (const channel of this.channels.values()) channel.flush();
    };
    if (document.hidden) setTimeout(flush, 0);
    else requestAnimationFrame(flush);
  }

  #become(state) {
    if (state === this.state) return;
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }

  #opened(socket) {
    if (socket !== this.socket) return socket.close();
    this.attempt = 0;
    this.received = performance.now();
    this.#become("open");
    this.send(hello());
    for (const channel of [...this.channels.values()]) this.reopen(channel);
    return undefined;
  }

  /** Opens a channel on the present socket, under a new name. */
  reopen(channel) {
    if (channel.socket === this.socket) this.send(viewportClose(channel.name));
    channel.socket = this.socket;
    this.channels.delete(channel.name);
    channel.open();
    this.channels.set(channel.name, channel);
  }

  #message(data) {
    this.received = performance.now();
    try {
      if (typeof data !== "string") {
        const { header, payload } = parseFrame(data);
        this.channels.get(header.viewport)?.frame(header, payload);
        return;
      }
      this.#text(parseText(data));
    } catch (error) {
      this.dispatchEvent(new CustomEvent("trouble", { detail: error }));
    }
  }

  #text(message) {
    if (message.type === "hello") {
      this.dispatchEvent(new CustomEvent("hello", { detail: message }));
      return;
    }
    if (message.type === "error" && message.code === "signed_out") {
      this.#become("signed_out");
      this.socket.close();
      return;
    }
    const channel = this.channels.get(message.viewport);
    if (channel && (message.type === "measure.result" || (message.type === "error" && message.id !== undefined))) channel.measured(message);
    else if (message.type === "series.opened") channel?.opened(message);
    else if (message.type === "error" && channel) channel.error(message);
    else if (message.type === "error") this.dispatchEvent(new CustomEvent("trouble", { detail: message }));
    else if (channel) channel.handlers.news?.(message);
    else this.dispatchEvent(new CustomEvent("news", { detail: message }));
  }

  async #closed(event) {
    if (this.state === "signed_out") return;
    if (SIGNED_OUT.has(event.code) || (this.attempt === 1 && !(await this.signedIn().catch(() => true)))) {
      this.#become("signed_out");
      return;
    }
    this.#become("reconnecting");
    const delay = backoff(this.attempt);
    this.attempt += 1;
    this.timer = setTimeout(() => this.connect(), delay);
  }

  /** A connection that died without a word (sleep, a lost network) is found when an answer stays out. */
  #watch() {
    if (this.state !== "open") return;
    const now = performance.now();
    const waiting = [...this.channels.values()].some((channel) => !channel.answered && now - channel.asked > SILENCE);
    if (waiting && now - this.received > SILENCE) this.socket.close();
  }
}
