// The stages of the protocol that a study hangs by: which one is shown, and putting it up.

import { t } from "../../../i18n.js";
import { aligned } from "./align.js";

const NARROW = 700;
/** What a reset gives back of how a pane hung; place and plane are the reader's. */
const HUNG_LOOK = ["window_center", "window_width", "voi_lut_function", "preset", "inverted", "color_map", "rotation", "flip_horizontal", "flip_vertical", "zoom", "pan"];

/** On a narrow screen every viewport of a stage is a page of its own. */
export function pagesOf(stages, width) {
  if (width >= NARROW) return stages;
  const pages = stages.flatMap(({ name, viewports, missing }) => {
    const filled = viewports.filter(Boolean);
    return filled.map((slot, index) => ({
      name: filled.length > 1 ? t("{name}, {n} of {all}", { name, n: index + 1, all: filled.length }) : name,
      layout: "1x1",
      viewports: [slot],
      missing,
    }));
  });
  const seen = pages.map(({ viewports: [slot] }) => whatIsSeen(slot));
  return pages.filter((_, index) => seen.indexOf(seen[index]) === index);
}

const SEEN = ["sop_instance_uid", "plane", "projection", "window_center", "window_width", "preset", "fusion"];

/** Names what a viewport shows, however it is turned or moved. */
function whatIsSeen({ series_instance_uid: series, stack, view }) {
  return JSON.stringify([series, stack, ...SEEN.map((field) => view[field] ?? null)]);
}

export class Stages {
  /** @param changed called when another stage is up, or another protocol */
  constructor(workbench, changed) {
    this.workbench = workbench;
    this.changed = changed;
    this.hanging = null;
    this.pages = [];
    this.index = -1;
    this.hung = new Map();
    this.linked = false;
    this.toLink = [];
    workbench.on("painted", ({ viewport }) => this.#painted(viewport));
    workbench.on("shown", ({ viewport }) => !this.busy && this.hung.delete(viewport));
    workbench.on("command", ({ command }) => command === "reset" && this.#reset(workbench.active));
  }

  get stage() {
    return this.pages[this.index] ?? null;
  }

  /** The answer of the server on how the study hangs; true when something is up. */
  hang(hanging) {
    this.hanging = hanging;
    this.pages = pagesOf(hanging?.stages ?? [], innerWidth);
    this.index = -1;
    for (const study of Object.values(hanging?.studies ?? {})) this.workbench.thumbnails.addBeside(study);
    if (this.pages.length) this.show(0);
    else this.changed();
    return this.pages.length > 0;
  }

  go(by) {
    if (!this.pages.length) return false;
    this.show((this.index + by + this.pages.length) % this.pages.length);
    return true;
  }

  /** This stage is up already: another reader's hand has put it there. */
  mark(index) {
    if (index === this.index || index >= this.pages.length) return;
    this.index = index;
    this.changed();
  }

  show(index) {
    const { workbench } = this;
    const stage = this.pages[index];
    this.index = index;
    this.busy = true;
    workbench.layout.set(stage.layout);
    const places = workbench.viewports.map((viewport, at) => ({ viewport, slot: stage.viewports[at] ?? null }));
    const shown = places.map(({ viewport, slot }) => ({ viewport, slot, tile: slot && workbench.tile(slot.series_instance_uid, slot.stack) }));
    this.hung.clear();
    const looks = this.#alignment(shown);
    shown.forEach(({ viewport, slot, tile }) => {
      if (!tile) {
        viewport.close();
        return;
      }
      const view = { ...slot.view, ...looks.get(viewport) };
      workbench.plan(viewport, tile, view);
      this.hung.set(viewport, { slot, view, size: viewport.glass.size });
    });
    this.busy = false;
    workbench.layout.activate(0);
    this.#linkSoon(shown);
    workbench.tell("hung", { stage });
    this.changed();
  }

  // --- chest walls meet

  /** viewport -> {zoom, pan} of those that lie at an edge; all of them at one scale. */
  #alignment(shown) {
    const found = shown.filter(({ slot, tile, viewport }) => slot?.align && tile && viewport.glass.size);
    const looks = aligned(found.map(({ slot, tile, viewport }) => pictureOf(slot, tile, viewport)));
    return new Map(found.map(({ viewport }, index) => [viewport, looks[index]]));
  }

  /** A pane that has another size by now: moved to its edge again, unless the reader moved it meanwhile. */
  #realign(viewport) {
    const hung = this.hung.get(viewport);
    const size = viewport.header?.view.size;
    if (!hung?.slot.align || !size || String(size) === String(hung.size)) return;
    hung.size = size;
    const untouched = String(viewport.wish.pan) === String(hung.view.pan) && viewport.wish.zoom === hung.view.zoom;
    const shown = [...this.hung].map(([one, { slot }]) => ({ viewport: one, slot, tile: one.source }));
    const look = this.#alignment(shown).get(viewport);
    if (!look) return;
    Object.assign(hung.view, look);
    if (untouched) viewport.change(look);
  }

  #reset(viewport) {
    const hung = this.hung.get(viewport);
    if (!hung) return;
    const entries = HUNG_LOOK.filter((field) => field in hung.view).map((field) => [field, hung.view[field]]);
    if (entries.length) viewport.change(Object.fromEntries(entries));
  }

  // --- viewports that scroll together

  /** Linked once all of them show something: before, nothing says where they lie. */
  #linkSoon(shown) {
    const groups = new Map();
    for (const { viewport, slot, tile } of shown) if (slot?.link && tile) groups.set(slot.link, [...(groups.get(slot.link) ?? []), viewport]);
    this.toLink = [...groups.values()].filter((group) => group.length > 1).flat();
    if (!this.toLink.length && this.linked) {
      this.linked = false;
      this.workbench.run("link", false);
    }
  }

  /** These go together from now on. */
  link(viewports) {
    this.toLink = viewports;
    this.#linkNow();
  }

  #linkNow() {
    if (!this.toLink.length || !this.toLink.every((viewport) => viewport.header)) return;
    this.toLink = [];
    this.linked = true;
    this.workbench.run("link", true);
  }

  #painted(viewport) {
    this.#realign(viewport);
    this.#linkNow();
  }
}

function pictureOf(slot, { stack }, viewport) {
  const image = stack.images?.find(({ sop_instance_uid: uid }) => uid === slot.view.sop_instance_uid) ?? stack;
  return { pane: viewport.glass.size, rows: image.rows, columns: image.columns, spacing: image.spacing ?? null, rotation: slot.view.rotation, align: slot.align };
}
