// Fingers, pens and mouse buttons as gestures: one finger is the tool in hand, two pinch and pan, three scroll, a double tap
// maximises, a long press opens the menu. Works on plain point objects, so that it can be tested without a screen. Imports nothing.

const TAP_MOVE = 10;
const TAP_TIME = 300;
const DOUBLE_TIME = 350;
const DOUBLE_DISTANCE = 40;
const PRESS_TIME = 550;
const SETTLE_TIME = 60;

const middle = (points) => ({
  x: points.reduce((sum, { x }) => sum + x, 0) / points.length,
  y: points.reduce((sum, { y }) => sum + y, 0) / points.length,
});

const spread = ([a, b]) => Math.hypot(a.x - b.x, a.y - b.y);

/** Turns `down`, `move`, `up`, `cancel` of touch points into calls of `handlers`:
 *  dragStart/Move/End (one finger; dragCancel where others join it), pinch({factor, dx, dy, at}) (two), scroll(dy) (three), tap(at),
 *  doubleTap(at), longPress(at). */
export class Gestures {
  constructor(handlers, { now = () => performance.now(), later = (run, ms) => setTimeout(run, ms), forget = (timer) => clearTimeout(timer) } = {}) {
    this.handlers = handlers;
    this.now = now;
    this.later = later;
    this.forget = forget;
    this.points = new Map();
    this.mode = "idle";
    this.lastTap = null;
    this.timer = null;
  }

  down(id, point) {
    this.points.set(id, point);
    const fingers = this.points.size;
    if (this.mode === "drag") this.#broken();
    this.#rest();
    if (fingers === 1) {
      this.began = { ...point, at: this.now() };
      this.moved = false;
      this.mode = "touch";
      this.timer = this.later(() => this.#press(), PRESS_TIME);
    } else {
      this.mode = fingers === 2 ? "pinch" : "scroll";
      this.moved = true;
    }
    this.#mark();
  }

  move(id, point) {
    if (!this.points.has(id)) return;
    this.points.set(id, point);
    if (this.mode === "touch") this.#perhapsDrag(point);
    else if (this.mode === "drag") this.handlers.dragMove?.(point);
    else if (this.mode === "pinch") this.#pinch();
    else if (this.mode === "scroll") this.#scroll();
  }

  up(id) {
    if (!this.points.delete(id)) return;
    this.#rest();
    if (this.mode === "drag") this.handlers.dragEnd?.();
    else if (this.mode === "touch") this.#tap();
    // Fingers rarely leave together: what stays after two or three fingers is not a new drag.
    this.mode = this.points.size ? "spent" : "idle";
  }

  cancel(id) {
    if (!this.points.delete(id)) return;
    this.#rest();
    if (this.mode === "drag") this.#broken();
    this.mode = this.points.size ? "spent" : "idle";
  }

  /** A drag that was not meant as one: what it did so far is given up, where that can be. */
  #broken() {
    (this.handlers.dragCancel ?? this.handlers.dragEnd)?.();
  }

  #rest() {
    if (this.timer !== null) this.forget(this.timer);
    this.timer = null;
  }

  #mark() {
    const points = [...this.points.values()];
    this.center = middle(points);
    this.distance = points.length >= 2 ? spread(points) : 0;
  }

  #perhapsDrag(point) {
    const far = Math.hypot(point.x - this.began.x, point.y - this.began.y);
    if (far < TAP_MOVE / 2 || (far < TAP_MOVE && this.now() - this.began.at < SETTLE_TIME)) return;
    this.#rest();
    this.moved = true;
    this.mode = "drag";
    this.handlers.dragStart?.(this.began);
    this.handlers.dragMove?.(point);
  }

  #pinch() {
    const [before, gap] = [this.center, this.distance];
    this.#mark();
    const factor = gap > 0 && this.distance > 0 ? this.distance / gap : 1;
    this.handlers.pinch?.({ factor, dx: this.center.x - before.x, dy: this.center.y - before.y, at: this.center });
  }

  #scroll() {
    const before = this.center;
    this.#mark();
    this.handlers.scroll?.(this.center.y - before.y);
  }

  #press() {
    this.timer = null;
    if (this.mode !== "touch") return;
    this.mode = "spent";
    this.lastTap = null;
    this.handlers.longPress?.(this.began);
  }

  #tap() {
    const now = this.now();
    if (this.moved || now - this.began.at > TAP_TIME) return;
    const near = this.lastTap && Math.hypot(this.lastTap.x - this.began.x, this.lastTap.y - this.began.y) < DOUBLE_DISTANCE;
    if (near && now - this.lastTap.at < DOUBLE_TIME) {
      this.lastTap = null;
      this.handlers.doubleTap?.(this.began);
    } else {
      this.lastTap = { ...this.began, at: now };
      this.handlers.tap?.(this.began);
    }
  }
}
