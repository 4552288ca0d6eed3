// A measurement in the making: points that a hand has set, by dragging or by clicking, and the one that follows it now. They are
// kept where they lie in the patient (or the image), so that the picture may be zoomed and moved meanwhile.

import { glassOf, kept, liesIn, referenceOf, shownAt } from "./seen.js";
import { apart, completed, handPoints, MOST_TRACED, simplified, traced } from "./shapes.js";

/** CSS pixels that a hand may tremble at a click. */
const STILL = 4;

/** Kept points of places in a pane; null where one of them lies nowhere. */
export function keptAll(header, places) {
  const glass = glassOf(header);
  const found = places.map((at) => kept(header, at, glass));
  return found.every(Boolean) ? found : null;
}

/** What says on which picture a measurement was drawn, as the server's door wants it. */
export function onPicture({ view, stack }) {
  return { series: view.series, stack: stack ?? view.stack ?? 0, sop_instance_uid: view.sop_instance_uid ?? "", frame_number: view.frame_number ?? null, view };
}

export class Draft {
  constructor(kind, viewport) {
    this.kind = kind;
    this.viewport = viewport;
    this.space = null;
    this.points = [];
    this.fixed = 0;
    this.pressed = null;
    this.values = {};
    this.wrong = "";
    this.picture = onPicture(viewport.header);
    this.reference = referenceOf(viewport.header, viewport.opened);
  }

  get tracing() {
    return handPoints(this.kind) === 0;
  }

  /** Whether the picture on the glass is the one that the first points were set on. */
  get here() {
    const { header, state } = this.viewport;
    return state === "shown" && Boolean(header) && header.view.series === this.picture.series && (!this.points.length || liesIn({ space: this.space, points: this.points, ...this.picture }, header));
  }

  #keep({ x, y }) {
    const { header } = this.viewport;
    const found = kept(header, { x, y }, glassOf(header));
    if (!found || (this.space && found.space !== this.space)) return null;
    this.space = found.space;
    return found.point;
  }

  #places(points = this.points) {
    const { header } = this.viewport;
    return points.map((point) => shownAt(header, this.space, point, glassOf(header)));
  }

  /** The hand goes down; false where nothing can be set. */
  press(at) {
    const point = this.#keep(at);
    if (!point) return false;
    this.pressed = at;
    this.moved = false;
    if (this.tracing) this.points = [point];
    else {
      this.points = [...this.points.slice(0, this.fixed), point];
      this.last = this.fixed === handPoints(this.kind) - 1;
      if (!this.last) {
        this.fixed += 1;
        this.points.push(point);
      }
    }
    return true;
  }

  /** The hand moves, down or not: the newest point follows it. */
  move(at) {
    const point = this.#keep(at);
    if (!point) return;
    if (this.pressed && apart(at, this.pressed) > STILL) this.moved = true;
    if (this.tracing) this.#trace(at, point);
    else if (this.points.length > this.fixed) this.points = [...this.points.slice(0, this.fixed), point];
    else if (this.fixed) this.points = [...this.points, point];
  }

  #trace(at, point) {
    if (!this.pressed || this.points.length >= MOST_TRACED) return;
    const [last] = this.#places([this.points.at(-1)]);
    if (traced([last], at).length > 1) this.points.push(point);
  }

  /** The hand goes up; true when all points are set. */
  release() {
    this.pressed = null;
    if (this.tracing) {
      const places = simplified(this.#places());
      this.points = places.map((at) => this.#keep(at));
      return this.points.length > 2;
    }
    if (this.last) return true;
    if (this.moved) this.fixed += 1;
    return this.fixed === handPoints(this.kind);
  }

  /** Sets the point that follows, by key; true when all are set. */
  set() {
    if (this.points.length > this.fixed) this.fixed += 1;
    if (this.fixed === handPoints(this.kind)) return true;
    this.points = [...this.points, this.points.at(-1)];
    return false;
  }

  /** Where the point that follows the hand is now. */
  get tip() {
    return this.#places([this.points.at(-1)])[0];
  }

  get empty() {
    return !this.points.length || (this.tracing && this.points.length < 3);
  }

  /** What is drawn of it, as a measurement. */
  get mark() {
    const { header } = this.viewport;
    const places = this.#places();
    const all = this.here && places.every(Boolean) ? keptAll(header, completed(this.kind, places)) : null;
    return {
      uid: "draft",
      kind: this.kind,
      label: "",
      space: this.space,
      points: all ? all.map(({ point }) => point) : this.points,
      values: this.values,
      wrong: this.wrong,
      draft: true,
      series_instance_uid: this.picture.series,
      frame_of_reference_uid: this.reference,
      ...this.picture,
    };
  }
}
