// The line to the live sessions of a study: comes back by itself, until it is told that there is nothing here for this person.
// Imports nothing.

const FOR_GOOD = new Set([4401, 4403, 4404]);
const SHORTEST = 500;
const LONGEST = 15000;
/** Bytes that may wait in the browser before the newest waits here instead, where it replaces what is older. */
const ENOUGH = 16384;

export class Line extends EventTarget {
  /** @param address of the socket; events: "open", "message" (its detail is the message), "broken", "ended" */
  constructor(address, { makeSocket = (at) => new WebSocket(at) } = {}) {
    super();
    this.address = address;
    this.makeSocket = makeSocket;
    this.attempt = 0;
    this.#connect();
  }

  get open() {
    return this.socket.readyState === 1;
  }

  /** True while what was sent has not left yet. */
  get busy() {
    return this.socket.bufferedAmount > ENOUGH;
  }

  /** True when it was handed to a live socket. */
  send(message) {
    if (!this.open) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  #connect() {
    this.socket = this.makeSocket(this.address);
    this.socket.onopen = () => {
      this.attempt = 0;
      this.dispatchEvent(new Event("open"));
    };
    this.socket.onmessage = ({ data }) => this.dispatchEvent(new CustomEvent("message", { detail: JSON.parse(data) }));
    this.socket.onclose = ({ code }) => {
      if (FOR_GOOD.has(code)) this.dispatchEvent(new Event("ended"));
      else this.#again();
    };
  }

  #again() {
    this.dispatchEvent(new Event("broken"));
    setTimeout(() => this.#connect(), Math.min(LONGEST, SHORTEST * 2 ** this.attempt) * (1 + Math.random() / 4));
    this.attempt += 1;
  }
}
