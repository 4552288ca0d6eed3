// One point of the patient, and three planes through it, in every pane of its frame of reference. What is asked of the panes
// is here; crossdraw.js draws it and crosshands.js takes it in hand.

import { onPane } from "../../plane.js";
import { middleOf, normalOf, sameScale } from "../../space.js";
import { orthogonal, roleOf, turnedPlanes, viewPlane } from "./frame.js";
import { goAlong } from "./scrolling.js";
import { spaceOf, standingOf } from "./standing.js";
import { dot, minus, plus, squared, turned, unit } from "./vector.js";

const THINNEST = 0.75;

export class Crosshair {
  /** @param panes () => the viewports in sight @param active () => the active one @param links whose `quietly` guards changes
   *  that are made here @param changed called when something is to be drawn anew */
  constructor({ panes, active, links, changed }) {
    this.panes = panes;
    this.active = active;
    this.links = links;
    this.changed = changed;
    this.on = false;
    this.space = "";
    this.point = null;
    this.planes = orthogonal();
    this.follows = false;
  }

  // --- where it is

  /** Shown from now on, in the active pane's frame of reference: where it was, else at the place that the reader scrolled to. */
  show(viewport = this.active()) {
    this.on = true;
    const space = spaceOf(viewport);
    if (space && (space !== this.space || !this.point)) {
      this.space = space;
      this.planes = orthogonal();
      this.point = viewport.spot ?? middleOf(viewport.header);
    }
    this.changed();
  }

  hide() {
    this.on = false;
    this.changed();
  }

  /** Shown anew at a point, with its planes straight. */
  begin(space, point) {
    Object.assign(this, { on: true, space, point, planes: orthogonal() });
    this.changed();
  }

  /** What `restore` needs to put everything back. */
  kept() {
    const { on, space, point, planes } = this;
    return { on, space, point, planes };
  }

  restore(kept) {
    Object.assign(this, kept);
    this.changed();
  }

  /** Goes to a point of the patient, and takes every other pane of the frame of reference along. */
  moveTo(point, from = null) {
    if (from && spaceOf(from) !== this.space) {
      this.space = spaceOf(from);
      this.planes = orthogonal();
    }
    this.point = point;
    this.links.quietly(() => {
      for (const viewport of this.panes()) if (viewport !== from && this.has(viewport)) this.#bring(viewport);
    });
    this.changed();
  }

  /** True for a pane in whose space it lies. */
  has(viewport) {
    return Boolean(this.on && this.point && viewport.state === "shown" && spaceOf(viewport) === this.space);
  }

  /** How far the wished plane of a pane lies from the point, mm; null where that says nothing. */
  off(viewport) {
    const standing = standingOf(viewport);
    return standing?.direction ? dot(this.point, standing.direction) - standing.along : null;
  }

  #bring(viewport) {
    const standing = standingOf(viewport);
    if (!standing?.direction) return;
    if (standing.kind === "plane" && !this.#inSight(viewport)) viewport.change({ center: this.point, pan: [0, 0] });
    else goAlong(viewport, standing, dot(this.point, standing.direction));
  }

  /** False where a picture is zoomed or moved so that the point is beside it. */
  #inSight({ header, box }) {
    const at = onPane(header, "patient", this.point, box);
    return !at || (at.x >= 0 && at.y >= 0 && at.x <= box.width && at.y <= box.height);
  }

  /** The reader scrolled a pane: where it does (three planes), the point goes along with its plane. */
  scrolled(viewport, part) {
    const moved = ["center", "frame", "sop_instance_uid"].some((field) => field in part);
    if (!this.follows || !moved || "plane" in part || this.links.following || !this.has(viewport)) return;
    const standing = standingOf(viewport);
    if (!standing?.direction || viewport !== this.active()) return;
    this.moveTo(plus(this.point, standing.direction, standing.along - dot(this.point, standing.direction)), viewport);
  }

  // --- its planes

  /** Which of the three planes a pane shows; null for acquired images and other planes. */
  role(viewport) {
    const standing = standingOf(viewport);
    return standing?.kind === "plane" && this.has(viewport) ? roleOf(this.planes, standing.plane) : null;
  }

  panesOf(name) {
    return this.panes().filter((viewport) => this.role(viewport) === name);
  }

  /** Begins a turn about the normal of the plane `still`: a function of the angle (radians) from here on. */
  turning(still) {
    const { planes, point } = this;
    const axis = unit(normalOf(planes[still]));
    const begun = this.panes()
      .map((viewport) => ({ viewport, role: this.role(viewport), wish: viewport.wish, standing: standingOf(viewport) }))
      .filter(({ role }) => role && role !== still);
    return (angle) => {
      this.planes = turnedPlanes(planes, still, angle);
      this.links.quietly(() => {
        for (const { viewport, wish, standing } of begun) {
          const plane = squared({ row: turned(standing.plane.row, axis, angle), column: turned(standing.plane.column, axis, angle) });
          const center = plus(point, turned(minus(standing.point, point), axis, angle));
          viewport.change({ plane: viewPlane(plane), center, ...sameScale(standing.plane, plane, wish, viewport.opened) });
        }
      });
      this.changed();
    };
  }

  turn(still, angle) {
    this.turning(still)(angle);
  }

  /** Back to axial, coronal and sagittal, through the same point. */
  straighten() {
    const begun = this.panes().map((viewport) => ({ viewport, role: this.role(viewport), wish: viewport.wish, standing: standingOf(viewport) }));
    this.planes = orthogonal();
    this.links.quietly(() => {
      for (const { viewport, role, wish, standing } of begun) {
        if (!role) continue;
        const plane = this.planes[role];
        const away = minus(standing.point, this.point);
        const center = plus(plus(this.point, plane.row, dot(away, standing.plane.row)), plane.column, dot(away, standing.plane.column));
        viewport.change({ plane: role, center, ...sameScale(standing.plane, plane, wish, viewport.opened) });
      }
    });
    this.changed();
  }

  get straight() {
    const at = orthogonal();
    return Object.keys(at).every((name) => roleOf(at, this.planes[name]) === name);
  }

  // --- slabs

  /** mm of the slab of a plane; 0 for a slice. */
  slab(name) {
    const [viewport] = this.panesOf(name);
    const { projection = "slice", slab_thickness = 0 } = viewport?.wish ?? {};
    return projection === "slice" || !Number.isFinite(slab_thickness) ? 0 : slab_thickness;
  }

  /** Thickness in steps of half a millimetre; a slice becomes a MIP, and a slab of nothing a slice. */
  thicken(name, thickness) {
    const rounded = thickness < THINNEST ? 0 : Math.round(thickness * 2) / 2;
    this.links.quietly(() => {
      for (const viewport of this.panesOf(name)) {
        const { projection = "slice" } = viewport.wish;
        const kind = projection === "slice" ? "mip" : projection;
        viewport.change(rounded ? { projection: kind, slab_thickness: rounded } : { projection: "slice", slab_thickness: 0 });
      }
    });
    this.changed();
  }
}
