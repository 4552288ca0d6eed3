// Three planes at one key, and back to exactly what was there.

import { centerOf, planePart, PLANES, spotOf, volumePart, whole, windowPart } from "../../space.js";
import { NAMES } from "./frame.js";
import { spaceOf } from "./standing.js";

const ORDER = ["axial", "fourth", "coronal", "sagittal"];
const LAYOUT = "2x2";
const VOLUME_FOR = new Set(["CT"]);
/** Fields that go with the pane and the series, not with what is seen. */
const ANSWERED = new Set(["series", "organization", "size"]);
const LOOKS = ["color_map", "inverted"];

export class ThreePlanes {
  /** @param workbench @param crosshair */
  constructor(workbench, crosshair) {
    this.workbench = workbench;
    this.crosshair = crosshair;
    this.session = null;
  }

  get on() {
    return this.session !== null;
  }

  toggle() {
    if (this.session) this.leave();
    else this.enter();
  }

  enter() {
    const { workbench, crosshair } = this;
    const { active } = workbench;
    if (!active.source || !active.opened) return;
    if (!active.inSpace) {
      active.sayNoVolume();
      return;
    }
    const before = this.#snapshot();
    const { source } = active;
    const wish = structuredClone(active.wish);
    const spot = beginning(active);
    const views = { ...planeViews(spot, wish, active.opened), fourth: this.#fourth(source, wish, active.opened) };
    this.session = { before, roles: new Map(), source, name: LAYOUT };
    this.#calm(() => {
      workbench.layout.set(LAYOUT);
      workbench.viewports.forEach((viewport, index) => {
        this.session.roles.set(viewport, ORDER[index]);
        workbench.show(viewport, source, views[ORDER[index]]);
      });
      workbench.layout.activate(0);
    });
    crosshair.follows = true;
    this.session.spot = spot;
    workbench.run("tool", "crosshair");
  }

  /** The crosshair begins where the reader was, as soon as a picture says in which frame of reference. */
  painted(viewport) {
    const { session, crosshair } = this;
    if (!session?.spot || !session.roles.has(viewport) || !viewport.header?.geometry) return;
    crosshair.begin(spaceOf(viewport), session.spot);
    session.spot = null;
  }

  leave() {
    const { workbench, crosshair, session } = this;
    if (!session) return;
    const { before } = session;
    this.session = null;
    crosshair.follows = false;
    this.#calm(() => {
      workbench.layout.set(before.layout);
      workbench.viewports.forEach((viewport, index) => {
        const shot = before.shots[index];
        if (!session.roles.has(viewport) && viewport.source && shot?.source === viewport.source && same(shot.view, restorable(viewport.wish))) return;
        if (shot?.source) workbench.show(viewport, shot.source, shot.view);
        else viewport.close();
      });
      workbench.layout.activate(before.active);
      if (before.maximised) workbench.layout.maximise();
    });
    crosshair.restore(before.crosshair);
    workbench.run("tool", before.tool);
  }

  #snapshot() {
    const { workbench, crosshair } = this;
    return {
      layout: workbench.layout.name,
      maximised: workbench.layout.maximised,
      active: workbench.viewports.indexOf(workbench.active),
      tool: workbench.tool,
      crosshair: crosshair.kept(),
      shots: workbench.viewports.map(({ source, wish }) => ({ source, view: restorable(wish) })),
    };
  }

  /** The fourth pane: the images as they were acquired, or a volume picture where the reader likes one. */
  #fourth(source, wish, opened) {
    const [preset] = opened.volume_presets ?? [];
    if (this.fourth(source) === "volume" && preset) return { stack: wish.stack ?? 0, ...volumePart(preset, {}) };
    return whole(wish) || (wish.plane ?? "acquired") !== "acquired" ? { plane: "acquired", stack: wish.stack ?? 0 } : restorable(wish);
  }

  /** "volume" or "images": what the reader chose last, else what suits the series. */
  fourth(source) {
    return this.workbench.remembered.get("mpr-fourth", VOLUME_FOR.has(source?.series.modality) ? "volume" : "images");
  }

  /** What stands in the fourth pane, from now on and at once. */
  choose(kind) {
    this.workbench.remembered.set("mpr-fourth", kind);
    const { session } = this;
    const pane = session && [...session.roles].find(([, role]) => role === "fourth")?.[0];
    if (!pane?.opened) return;
    const [preset] = pane.opened.volume_presets ?? [];
    if (kind === "volume" && preset) pane.change(volumePart(preset, pane.wish));
    else pane.change(planePart("acquired", pane.standpoint));
  }

  // --- what the reader does meanwhile

  /** Another layout, or another series in one of the panes: what stands there now is the reader's. */
  changed() {
    const { session, workbench } = this;
    if (!session || this.calm) return;
    if (workbench.layout.name !== session.name) this.#forget();
  }

  /** Hung anew: nothing of the three planes is left to go back from. */
  hung(command) {
    if (this.session && !this.calm && ["stage", "layout"].includes(command)) this.#forget();
  }

  shown(viewport) {
    if (!this.session || this.calm) return;
    if (this.session.roles.has(viewport) && viewport.source !== this.session.source) this.session.roles.delete(viewport);
  }

  /** A reset straightens all three planes: one alone would no longer be square on the others. */
  reset(viewport) {
    const { session, crosshair } = this;
    const role = session?.roles.get(viewport);
    if (!role || role === "fourth") return;
    if (viewport.wish.plane !== role) viewport.change({ plane: role });
    crosshair.straighten();
    crosshair.moveTo(crosshair.point);
  }

  /** More images came and one pane shows them: the others do not stay behind. */
  opened(viewport) {
    const { session, workbench } = this;
    if (!session?.roles.has(viewport)) return;
    const version = viewport.opened.series_version;
    for (const [other] of session.roles) {
      const old = other !== viewport && other.channel && other.opened?.series === viewport.opened.series && other.opened.series_version !== version;
      if (old) workbench.desk.connection.reopen(other.channel);
    }
  }

  #forget() {
    this.session = null;
    this.crosshair.follows = false;
  }

  #calm(act) {
    this.calm = true;
    try {
      act();
    } finally {
      this.calm = false;
    }
  }

  get told() {
    return this.session ? [...this.session.roles.values()] : [];
  }
}

/** The place that the reader had scrolled to. Nobody reads at the very end of a stack: from there it is the middle of the volume. */
function beginning({ spot, wish, header, frame, frames, opened }) {
  const end = frame === 0 || frame === frames - 1;
  return end && !whole(wish) ? spotOf({ view: { projection: "volume" }, header, opened }) : spot;
}

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/** A View as it can be asked for again: without what the server says beside it. */
function restorable(wish) {
  const view = structuredClone(wish);
  return Object.fromEntries(Object.entries(view).filter(([name, value]) => value !== null && value !== undefined && !ANSWERED.has(name)));
}

/** The three planes through a place, in the reader's window. */
function planeViews(spot, wish, { geometry }) {
  const seen = wish.projection === "volume" ? {} : windowPart(wish);
  const looks = Object.fromEntries(LOOKS.filter((field) => wish[field]).map((field) => [field, wish[field]]));
  const shared = { stack: wish.stack ?? 0, projection: "slice", slab_thickness: 0, ...seen, ...looks };
  return Object.fromEntries(NAMES.map((name) => [name, { ...shared, plane: name, center: centerOf(PLANES[name], spot, geometry) }]));
}
