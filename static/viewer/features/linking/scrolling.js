// Panes that go together: by the place in the patient, by a fixed offset between frames of reference, or by number. Only what
// the reader does in the active pane goes on to the others, so that nothing can go round.

import { t } from "../../../i18n.js";
import { nearest, parallel, sameSpace, standingOf } from "./standing.js";
import { samePart, sameWindow } from "./together.js";
import { dot, plus } from "./vector.js";

const PLACE = ["frame", "sop_instance_uid", "frame_number", "center", "plane", "stack"];
const LOOK = ["zoom", "pan", "pixel_spacing"];
const TURN = ["rotation", "flip_horizontal", "flip_vertical"];
const WINDOW = ["window_center", "window_width", "voi_lut_function", "preset"];
const NEAR_ENOUGH = 0.5;
const ALIKE = 2e-4;
const touches = (part, fields) => fields.some((field) => field in part);

export class Links {
  /** @param panes () => the viewports in sight @param active () => the one that the reader works on */
  constructor({ panes, active }) {
    this.panes = panes;
    this.active = active;
    this.scroll = false;
    this.look = false;
    this.window = false;
    this.turn = false;
    this.turned = new WeakMap();
    this.following = false;
    this.settling = false;
    this.offsets = new Map();
    this.away = new WeakMap();
  }

  /** How two panes go together: "position", "offset", "number", or null. */
  bond(one, other) {
    const [a, b] = [standingOf(one), standingOf(other)];
    if (!a || !b || a.kind === "whole" || b.kind === "whole") return null;
    if (a.kind === "bare" && b.kind === "bare") return one.frames > 1 && other.frames > 1 && !a.space === !b.space ? "number" : null;
    if (!parallel(a, b)) return null;
    return sameSpace(a, b) ? "position" : "offset";
  }

  /** Turns one kind of going together on or off. The offsets are those of this moment. */
  set(kind, on) {
    this[kind] = on;
    if (kind === "scroll") {
      this.offsets.clear();
      this.away = new WeakMap();
      if (on) this.keep();
    }
  }

  /** Keeps the offset of every pair that has none yet. */
  keep() {
    if (!this.scroll) return;
    const panes = this.panes();
    for (const one of panes) {
      for (const other of panes) {
        if (one === other || this.offsets.has(pairName(one, other))) continue;
        const offset = this.#offset(one, other);
        if (offset !== null) this.offsets.set(pairName(one, other), offset);
      }
    }
  }

  #offset(one, other) {
    const bond = this.bond(one, other);
    if (bond === "number") return other.frame - one.frame;
    return bond === "offset" ? standingOf(other).along - standingOf(one).along : null;
  }

  /** The reader asked for `part` in a pane. */
  wished(viewport, part) {
    const before = this.turned.get(viewport) ?? { rotation: 0, flip_horizontal: false, flip_vertical: false };
    const now = turnOf(viewport.wish);
    this.turned.set(viewport, now);
    if (this.following || viewport !== this.active()) return;
    this.#quietly(() => {
      for (const other of this.panes()) {
        if (other === viewport) continue;
        if (this.scroll && touches(part, PLACE)) this.#follow(viewport, other);
        if (this.look && touches(part, LOOK)) change(other, samePart(viewport, other));
        if (this.window && touches(part, WINDOW)) change(other, sameWindow(viewport, other, part));
        if (this.turn && touches(part, TURN) && !("inverted" in part)) change(other, turnedAlike(before, now, turnOf(other.wish)));
      }
    });
  }

  /** A preview has fewer pixels, and its numbers are rounder: once both pictures are exact, they are laid over each other again. */
  settled(viewport) {
    const leader = this.active();
    if (!this.look || this.following || !leader?.exact || !viewport.exact) return;
    this.settling = true;
    this.#quietly(() => {
      for (const other of viewport === leader ? this.panes() : [viewport]) {
        if (other === leader || !other.exact) continue;
        const part = samePart(leader, other);
        if (part && isOther(part, other)) change(other, part);
      }
    });
    this.settling = false;
  }

  /** A picture came: how it lies is what the next turn begins from. */
  seen(viewport) {
    if (!this.turned.has(viewport) || viewport.exact) this.turned.set(viewport, turnOf(viewport.wish));
  }

  /** What is done to panes here is nobody's wish. */
  #quietly(act) {
    this.following = true;
    try {
      act();
    } finally {
      this.following = false;
    }
  }
  quietly(act) {
    if (this.following) act();
    else this.#quietly(act);
  }

  #follow(leader, other) {
    const bond = this.bond(leader, other);
    if (!bond) return;
    if (bond === "number") {
      other.goTo(leader.frame + (this.offsets.get(pairName(leader, other)) ?? 0));
      return;
    }
    const [from, to] = [standingOf(leader), standingOf(other)];
    const offset = bond === "offset" ? this.offsets.get(pairName(leader, other)) : 0;
    if (offset === undefined || !from.point) return;
    const target = bond === "offset" ? from.along + offset : dot(from.point, to.direction);
    this.away.set(other, goAlong(other, to, target));
  }

  /** What stands on a pane about how it goes with the active one; "" where it does not. */
  words(viewport) {
    const active = this.active();
    if (!this.scroll) return "";
    const others = this.panes().filter((one) => one !== viewport && this.bond(viewport, one));
    if (!others.length) return "";
    if (viewport === active) return t("linked");
    const bond = this.bond(active, viewport);
    if (!bond) return "";
    const away = this.away.get(viewport) ?? 0;
    if (away > NEAR_ENOUGH) return t("linked, nearest image {n} mm away", { n: away.toFixed(1) });
    return { position: t("linked"), offset: t("linked by offset, not registered"), number: t("linked by image number") }[bond];
  }

  /** The same at length, for those who ask what it means. */
  static explained = {
    position: () => t("Scrolls with the active viewport by position in the patient (same frame of reference)"),
    offset: () => t("Scrolls with the active viewport at the offset that the two had when they were linked. The frames of reference differ: this is no registration"),
    number: () => t("Scrolls with the active viewport by image number: the images say no position"),
  };
}

const turnOf = ({ rotation, flip_horizontal, flip_vertical }) => ({ rotation: rotation ?? 0, flip_horizontal: Boolean(flip_horizontal), flip_vertical: Boolean(flip_vertical) });
const mirrored = ({ flip_horizontal, flip_vertical }) => flip_horizontal !== flip_vertical;

/** The fields that turn another picture on the screen as the leader was turned from `before` to `now`; what lies otherwise than
 *  the leader stays so. */
export function turnedAlike(before, now, other) {
  const by = (now.rotation - before.rotation + 360) % 360;
  const seen = mirrored(before) === mirrored(other) ? by : (360 - by) % 360;
  const part = {};
  if (seen) part.rotation = (other.rotation + seen) % 360;
  for (const flip of ["flip_horizontal", "flip_vertical"]) if (before[flip] !== now[flip]) part[flip] = !other[flip];
  return part;
}

/** Moves a pane to `mm` along its direction; how far it is from there where no image lies at it. */
export function goAlong(viewport, standing, mm) {
  if (standing.kind === "plane") {
    if (Math.abs(mm - standing.along) > 1e-6) viewport.change({ center: plus(standing.point, standing.direction, mm - standing.along) });
    return 0;
  }
  const { frame, away } = nearest(standing.places, standing.frames, mm);
  viewport.goTo(frame);
  return isBeyond(standing, mm, away) ? away : 0;
}

/** True where `mm` lies further from the nearest image than half a step. */
function isBeyond({ places, frames }, mm, away) {
  const step = places.mm ? largestStep(places.mm) : Math.abs(places.step);
  return frames > 1 && away > step / 2 + NEAR_ENOUGH;
}
const largestStep = (mm) => mm.reduce((most, one, at) => (at ? Math.max(most, Math.abs(one - mm[at - 1])) : most), 0);

function change(viewport, part) {
  if (part && Object.keys(part).length) viewport.change(part);
}

const isOther = ({ zoom, pan }, viewport) => Math.abs(zoom / viewport.zoom - 1) > ALIKE || pan.some((one, at) => Math.abs(one - viewport.pan[at]) > ALIKE);

/** What a pane shows, as far as an offset depends on it. */
const named = ({ number, source, wish }) => `${number} ${source?.series.series_instance_uid} ${wish.stack ?? 0} ${JSON.stringify(wish.plane ?? "acquired")}`;
const pairName = (one, other) => `${named(one)} > ${named(other)}`;
