// Plays what a pane shows: a clip in the times of its file, a stack at a plain rate; the whole volume turns.

import { t } from "../i18n.js";
import { CineClock, CineCount, DEFAULT_RATE, durations } from "./cine.js";
import { directions, turnPart, unturned, whole } from "./space.js";

const DEGREES_PER_SECOND = 40;
const SPAN = 2000;

export class Player {
  constructor(viewport) {
    this.viewport = viewport;
    this.run = null;
    this.speed = 1;
    this.sweep = false;
    this.last = null;
  }

  get playing() {
    return this.run !== null;
  }

  /** What an integrator may look at while it plays; null else. */
  get told() {
    const { count } = this.run ?? {};
    return count ? { rate: count.rate(), dropped: count.dropped, due: count.due } : null;
  }

  /** Pictures a second that are due. */
  get wanted() {
    const { viewport } = this;
    const { frames, times } = this.run?.track ?? { frames: viewport.frames, times: viewport.frameTimes };
    const shown = durations(times, Math.max(1, frames), DEFAULT_RATE);
    return (this.speed * 1000 * shown.length) / shown.reduce((sum, time) => sum + time, 0);
  }

  /** How clips are played from now on: {speed, sweep}. What runs goes on with it. */
  set({ speed = this.speed, sweep = this.sweep }) {
    Object.assign(this, { speed, sweep });
    const { track } = this.run ?? {};
    if (!track) return;
    this.stop();
    this.play({ track });
  }

  /** @param options {speed, sweep} for this and all that follow; `track` to play something else than the places of the stack:
   *  {frames, at, times, go(index), seen(header)} */
  play({ speed = this.speed, sweep = this.sweep, track = null } = {}) {
    const { viewport } = this;
    if (this.playing || !viewport.channel) return;
    Object.assign(this, { speed, sweep });
    const next = whole(viewport.wish) && !track ? this.#turning() : (track?.frames ?? viewport.frames) > 1 ? this.#clip(track) : null;
    if (!next) return;
    const tick = () => {
      if (!this.run) return;
      next(performance.now());
      this.#tell();
      this.run.request = requestAnimationFrame(tick);
    };
    this.run = { ...this.run, request: requestAnimationFrame(tick) };
    viewport.dispatchEvent(new Event("cine"));
  }

  stop() {
    if (!this.run) return;
    cancelAnimationFrame(this.run.request);
    this.last = this.told;
    this.run = null;
    this.viewport.overlay.playing("");
    this.viewport.dispatchEvent(new Event("cine"));
  }

  /** A picture of place `frame` is on the glass. */
  painted(frame) {
    const { count, track } = this.run ?? {};
    count?.paint(track?.seen ? track.seen(this.viewport.header) : frame, performance.now());
  }

  /** The places of the stack as something to play. */
  #places() {
    const { viewport } = this;
    return { frames: viewport.frames, at: viewport.frame, times: viewport.frameTimes, go: (frame) => viewport.goTo(frame), seen: null };
  }

  #clip(given) {
    const track = given ?? this.#places();
    const shown = durations(track.times, track.frames, DEFAULT_RATE);
    const clock = new CineClock(shown, track.at, performance.now(), this);
    const count = new CineCount();
    this.run = { count, track };
    return (now) => {
      const { frame, step } = clock.due(now);
      if (step === count.lastStep) return;
      count.ask(step, frame);
      track.at = frame;
      track.go(frame);
    };
  }

  /** About the vertical of the screen, at an even pace: time decides the angle, so that a slow picture turns no slower. */
  #turning() {
    const { viewport } = this;
    const { wish, opened } = viewport;
    const from = directions(wish, viewport.header);
    if (!from) return null;
    const began = performance.now();
    this.run = { count: new Painted() };
    const way = (now) => unturned([((now - began) / 1000) * DEGREES_PER_SECOND, 0], wish);
    return (now) => viewport.change(turnPart(from, way(now), wish, opened, 1));
  }

  #tell() {
    const { count } = this.run;
    this.last = this.told;
    this.viewport.overlay.playing(`${count.rate().toFixed(0)}/s${count.dropped ? t(", {n} dropped", { n: count.dropped }) : ""}`);
  }
}

/** Counts pictures alone: where every picture is asked for anew, none is dropped. */
class Painted {
  constructor() {
    this.times = [];
    this.dropped = 0;
    this.due = 0;
  }

  paint(_, now) {
    this.due += 1;
    this.times = [...this.times.filter((time) => time > now - SPAN), now];
  }

  rate() {
    const [first] = this.times;
    return this.times.length > 1 ? ((this.times.length - 1) * 1000) / (this.times.at(-1) - first) : 0;
  }
}
