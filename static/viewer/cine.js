// When which frame of a clip is due, and what could not be kept. Imports nothing.

export const DEFAULT_RATE = 15;
const FASTEST = 200;

/** Milliseconds each of `frames` frames is shown, from the file's times (one for all, or one each), else a plain rate. */
export function durations(times, frames, rate = DEFAULT_RATE) {
  const least = 1000 / FASTEST;
  const sound = (value) => Number.isFinite(value) && value > 0;
  if (sound(times)) return Array(frames).fill(Math.max(least, times));
  if (sound(times?.frame_time_ms)) return Array(frames).fill(Math.max(least, times.frame_time_ms));
  if (Array.isArray(times) && times.length === 1 && sound(times[0])) return Array(frames).fill(Math.max(least, times[0]));
  if (Array.isArray(times) && times.length >= frames && times.filter(sound).length >= frames - 1) {
    const usual = times.filter(sound)[0];
    return times.slice(0, frames).map((value) => Math.max(least, sound(value) ? value : usual));
  }
  return Array(frames).fill(1000 / rate);
}

/** A clock over the frames of a clip. Time decides which frame is due, so a slow picture never slows the heart. */
export class CineClock {
  /** @param shown milliseconds per frame @param first frame to begin with @param now milliseconds of any steady clock */
  constructor(shown, first, now, { speed = 1, sweep = false } = {}) {
    this.order = sweep && shown.length > 2 ? [...shown.keys(), ...[...shown.keys()].slice(1, -1).reverse()] : [...shown.keys()];
    this.ends = [];
    let sum = 0;
    for (const frame of this.order) this.ends.push((sum += shown[frame] / speed));
    this.cycle = sum;
    this.origin = now - (first > 0 ? this.ends[first - 1] : 0);
  }

  /** {frame, step}: the frame due at `now`, and how many frames have been due since the clip's beginning. */
  due(now) {
    const elapsed = Math.max(0, now - this.origin);
    const rounds = Math.floor(elapsed / this.cycle);
    const within = elapsed - rounds * this.cycle;
    let low = 0;
    let high = this.ends.length - 1;
    while (low < high) {
      const half = (low + high) >> 1;
      if (within < this.ends[half]) high = half;
      else low = half + 1;
    }
    return { frame: this.order[low], step: rounds * this.order.length + low };
  }
}

/** Counts what was due and what was painted. A frame that a later one overtook was dropped; one that came late was not. */
export class CineCount {
  constructor(span = 2000) {
    this.span = span;
    this.dropped = 0;
    this.painted = [];
    this.asked = [];
    this.first = null;
    this.lastStep = null;
    this.shown = null;
  }

  /** Frames that were due so far. */
  get due() {
    return this.lastStep === null ? 0 : this.lastStep - this.first + 1;
  }

  /** The frame of a new step is asked for. */
  ask(step, frame) {
    this.first ??= step;
    this.lastStep = step;
    this.asked.push({ step, frame });
  }

  /** A picture of `frame` is on the glass. */
  paint(frame, now) {
    const at = this.asked.findIndex((one) => one.frame === frame);
    if (at < 0) return;
    const { step } = this.asked[at];
    this.dropped += step - (this.shown ?? this.first - 1) - 1;
    this.shown = step;
    this.asked.splice(0, at + 1);
    this.painted.push(now);
    while (this.painted[0] < now - this.span) this.painted.shift();
  }

  /** Pictures per second over the span. */
  rate() {
    if (this.painted.length < 2) return 0;
    const time = this.painted.at(-1) - this.painted[0];
    return time > 0 ? ((this.painted.length - 1) * 1000) / time : 0;
  }
}
