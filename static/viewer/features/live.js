// Two readers, one state, two cursors: what one does to the panes of a study is done for all in its live session
// (docs/live-session.md). Every picture remains each browser's own.

import { t, told } from "../../i18n.js";
import { Band } from "./live/band.js";
import { Cursors } from "./live/cursors.js";
import { Line } from "./live/line.js";
import { cellsOf, FILLED, namesWindow, othersGreys, paneCell, partCell, PARTS, touched, viewOf, wanted } from "./live/parts.js";
import { paneOf, Replica } from "./live/replica.js";
import { rest, studyDoor } from "./rest.js";

const text = (value) => JSON.stringify(value ?? null);
/** This window, for as long as it is open: by it the server knows who comes back after their line broke. */
const WINDOW = crypto.randomUUID();

/** Hangs this feature into the page. */
export function install(workbench) {
  const live = new Live(workbench);
  const label = t("Live session");
  workbench.command("live", () => live.toggle(), () => t("Join or leave the live session"));
  const group = workbench.toolbar.group("live", label);
  live.button = workbench.toolbar.button(group, { label, icon: "users", command: "live", hint: t("Look at this study together with others who may see it") });
  workbench.toolbar.addMore("live", label, "users");
  workbench.inspect("live", () => live.told);
}

class Live {
  constructor(workbench) {
    this.workbench = workbench;
    this.members = [];
    this.you = null;
    /** Whether the reader wants to be in the session: also while the line is broken. */
    this.wants = false;
    this.together = true;
    this.replica = new Replica();
    this.dirty = new Set();
    this.mine = new Map();
    /** Viewports whose window somebody has named. */
    this.chosen = new WeakMap();
    this.band = new Band(workbench, {
      join: () => this.join(),
      look: () => this.line.send({ type: "live.look" }),
      leave: () => this.leave(),
      steer: () => this.steer(!this.together),
      take: () => this.lay(null, true),
      dismiss: () => this.dismiss(),
    });
    this.cursors = new Cursors(workbench, (cursor) => this.line.send({ type: "live.cursor", ...cursor }));
    this.#listen();
    this.#dial();
  }

  #dial() {
    const { study, organization } = this.workbench.page;
    const asked = new URLSearchParams({ study, ...(organization ? { organization } : {}) });
    this.line = new Line(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/live/?${asked}`);
    this.line.addEventListener("open", () => this.wants && this.#enter());
    this.line.addEventListener("message", ({ detail }) => this.#heard(detail));
    this.line.addEventListener("broken", () => this.#out(this.wants));
    this.line.addEventListener("ended", () => {
      const over = this.wants;
      this.wants = false;
      this.#out(false);
      if (over) this.band.tell(t("The live session has ended for you: you are signed out, or may not see this study any more."));
    });
  }

  // --- coming and going

  get inside() {
    return this.you !== null;
  }

  toggle() {
    if (this.wants) this.leave();
    else this.join();
  }

  join() {
    this.wants = true;
    this.together = true;
    if (this.line.open) this.#enter();
    this.#show();
  }

  #enter() {
    this.line.send({ type: "live.join", window: WINDOW, cells: this.#all() });
  }

  leave() {
    this.wants = false;
    this.line.send({ type: "live.leave" });
    this.#out(false);
  }

  /** Not in the session any more, or for as long as the line is broken. */
  #out(interrupted) {
    this.you = null;
    this.replica = new Replica();
    this.dirty.clear();
    this.mine.clear();
    if (interrupted) this.members = [];
    for (const viewport of this.workbench.viewports) if (viewport.state === "withheld") viewport.close();
    this.#show(interrupted);
  }

  dismiss() {
    this.dismissed = text(this.members.map(({ id }) => id));
    this.#show();
  }

  steer(together) {
    this.together = together;
    this.line.send({ type: "live.steer", together });
    if (together) this.lay();
    this.#show();
  }

  #show(interrupted = false) {
    const dismissed = this.dismissed === text(this.members.map(({ id }) => id));
    this.band.show({ members: this.members, you: this.you, together: this.together, interrupted, dismissed });
    this.cursors.set(this.inside ? this.members : [], this.you);
    this.button?.setAttribute("aria-pressed", String(this.wants));
    this.button?.toggleAttribute("data-called", !this.wants && this.members.some(({ mine }) => !mine));
  }

  // --- what the server says

  #heard(message) {
    if (message.type === "live.who") this.#who(message);
    else if (message.type === "live.state") this.#state(message);
    else if (message.type === "live.cursor") this.cursors.heard(message);
    else if (message.type === "error") this.#refused(message);
  }

  #who({ you, members }) {
    const before = this.members;
    if (you !== null && !this.wants) this.line.send({ type: "live.leave" });
    this.you = this.wants ? you : null;
    this.members = members;
    if (this.inside) this.#comings(before, members);
    this.#show();
  }

  #comings(before, members) {
    const not = (list) => (one) => !list.some(({ id }) => id === one.id);
    const come = before.some(({ id }) => id === this.you) ? members.filter(not(before)) : [];
    for (const { name } of before.filter(not(members))) this.band.tell(t("{name} has left the session.", { name }));
    for (const { name } of come) this.band.tell(t("{name} has joined the session.", { name }));
  }

  #state(message) {
    if (message.once) {
      const replica = new Replica();
      replica.told({ change: 0, cells: message.cells });
      this.lay(null, true, replica.shown);
      return;
    }
    const names = this.replica.told(message);
    if (this.together) this.lay(names);
  }

  /** What was refused is taken back: what stands for all is the truth. */
  #refused({ code, message }) {
    if (this.inside) {
      this.lay(this.replica.giveUp());
      return;
    }
    this.wants = false;
    this.#out(false);
    this.band.tell(code === "busy" ? t("The live session is full.") : told(message));
  }

  // --- what is done here

  #listen() {
    const { workbench } = this;
    const known = new WeakSet();
    const meet = () => {
      for (const viewport of workbench.viewports) {
        if (known.has(viewport)) continue;
        known.add(viewport);
        viewport.addEventListener("wished", ({ detail }) => this.#wished(viewport, detail));
      }
    };
    workbench.on("layout", () => {
      meet();
      this.#touch(["layout"]);
      this.#panes();
      this.cursors.draw();
    });
    workbench.on("shown", ({ viewport }) => {
      this.chosen.set(viewport, namesWindow(viewport.first ?? {}));
      this.#pane(viewport);
    });
    workbench.on("state", ({ viewport }) => {
      if (viewport.state === "empty") this.#pane(viewport);
      this.cursors.draw();
    });
    workbench.on("crosshair", () => this.#touch(["crosshair"]));
    workbench.on("stage", () => this.#touch(["stage"]));
    workbench.on("command", ({ command }) => command.startsWith("link") && this.#touch(["links"]));
    workbench.on("painted", ({ viewport }) => {
      this.#filled(viewport);
      this.cursors.draw();
      this.cursors.soon();
    });
    meet();
  }

  #index(viewport) {
    return this.workbench.viewports.indexOf(viewport);
  }

  #wished(viewport, change) {
    if (PARTS.window.some((field) => field in change)) this.chosen.set(viewport, namesWindow(change));
    else if (othersGreys(change)) this.chosen.set(viewport, false);
    const index = this.#index(viewport);
    if (index >= 0 && !this.workbench.links?.settling) this.#touch(touched(change).map((name) => `${index}.${name}`));
  }

  #pane(viewport) {
    const index = this.#index(viewport);
    if (index >= 0) this.#touch([String(index), ...Object.keys(PARTS).map((name) => `${index}.${name}`)]);
  }

  #panes() {
    for (const viewport of this.workbench.viewports) this.#pane(viewport);
  }

  /** The reader has done something to these cells. What is laid from outside is nobody's doing here. */
  #touch(names) {
    if (!this.inside || !this.together || this.laying) return;
    for (const name of names) this.dirty.add(name);
    this.#soon();
  }

  #soon() {
    if (this.scheduled) return;
    this.scheduled = true;
    const flush = () => {
      this.scheduled = false;
      this.#flush();
    };
    if (document.hidden) setTimeout(flush, 50);
    else requestAnimationFrame(flush);
  }

  /** Sends the newest of what was done since; what the line cannot carry waits, and is replaced by what is newer. */
  #flush() {
    if (!this.inside || !this.together || !this.dirty.size) return this.dirty.clear();
    if (this.line.busy) return this.#soon();
    const cells = this.#read([...this.dirty]);
    this.dirty.clear();
    if (!Object.keys(cells).length) return undefined;
    this.line.send({ type: "live.change", ...this.replica.change(cells) });
    for (const [name, cell] of Object.entries(cells)) this.mine.set(name, text(cell));
    return undefined;
  }

  /** Of these cells those that stand otherwise here than in the session. With another series all parts of its View go. */
  #read(names) {
    const { shown } = this.replica;
    const { viewports } = this.workbench;
    const all = {};
    for (const name of names) {
      const pane = paneOf(name);
      const viewport = pane === null ? null : viewports[pane];
      if (pane === null) all[name] = this.#desk(name);
      else if (viewport?.state === "withheld" || (pane !== null && !viewport)) continue;
      else if (text(paneCell(viewport)) !== text(shown[pane])) Object.assign(all, cellsOf(viewport, pane, this.chosen.get(viewport)));
      else if (name !== pane && viewport.source) all[name] = partCell(viewport, name.split(".")[1], this.chosen.get(viewport));
    }
    return Object.fromEntries(Object.entries(all).filter(([name, cell]) => text(cell) !== text(shown[name]) || (name.includes(".") && paneOf(name) in all && all[paneOf(name)])));
  }

  /** Everything that stands on this desk. */
  #all() {
    const desk = ["layout", "stage", "links", "crosshair"].map((name) => [name, this.#desk(name)]);
    return Object.assign(Object.fromEntries(desk), ...this.workbench.viewports.map((viewport, index) => (viewport.state === "withheld" ? {} : cellsOf(viewport, index, this.chosen.get(viewport)))));
  }

  #desk(name) {
    const { layout, links, stage, crossing } = this.workbench;
    if (name === "layout") return { name: layout.name, maximised: layout.maximised ? layout.activeIndex : null };
    if (name === "stage") return stage.get();
    if (name === "links") return links.get();
    const cross = crossing.get();
    const pane = cross.on && this.workbench.viewports.find((viewport) => this.workbench.crosshair(viewport));
    if (!pane) return null;
    const { series, organization } = paneCell(pane);
    const { space, point, planes, follows } = cross;
    return { series, organization, space, point, planes, follows };
  }

  /** The picture came: what this page left to the server in what it told last is known now, and told, unless somebody has done
   *  something else meanwhile. Who follows never tells: the one who asked does. */
  #filled(viewport) {
    const index = this.#index(viewport);
    if (!this.inside || !viewport.exact || index < 0) return;
    const names = FILLED.map((name) => `${index}.${name}`);
    this.#touch(names.filter((name) => this.mine.has(name) && this.mine.get(name) === text(this.replica.shown[name])));
  }

  // --- what others do

  /** Puts cells on this desk: those named, or all. @param once whatever the reader does otherwise */
  lay(names = null, once = false, shown = this.replica.shown) {
    if (!(this.inside && this.together) && !once) return;
    const all = names === null || names.includes("layout");
    for (const name of names ?? []) this.mine.delete(name);
    this.laying = true;
    try {
      this.workbench.quietly(() => {
        const { viewports } = this.#laidOut(all ? shown.layout : null);
        viewports.forEach((viewport, index) => {
          const whole = all || names.includes(String(index));
          const parts = Object.keys(PARTS).filter((part) => whole || names.includes(`${index}.${part}`));
          if (whole || parts.length) this.#layPane(viewport, index, shown, parts);
        });
        if (all || names.includes("links")) this.workbench.links.set(shown.links);
        if (all || names.includes("stage")) this.workbench.stage.mark(shown.stage);
        if (all || names.includes("crosshair")) this.workbench.crossing.set(shown.crosshair ?? null);
        this.#maximise(all ? shown.layout : null);
      });
    } finally {
      this.laying = false;
    }
    this.cursors.draw();
  }

  #laidOut(cell) {
    const { layout } = this.workbench;
    if (cell && cell.name !== layout.name) layout.set(cell.name);
    return this.workbench;
  }

  #maximise(cell) {
    const { layout } = this.workbench;
    const now = layout.maximised ? layout.activeIndex : null;
    if (!cell || cell.maximised === now) return;
    if (layout.maximised) layout.maximise();
    if (cell.maximised !== null) layout.maximise(cell.maximised);
  }

  #layPane(viewport, index, shown, parts) {
    const cell = shown[index] ?? null;
    if (cell?.hidden) {
      if (viewport.state !== "withheld") viewport.withhold(t("Others in the live session look at a series here that you may not see."));
    } else if (!cell) {
      if (viewport.source || viewport.state === "withheld") viewport.close();
    } else if (text(paneCell(viewport)) === text(cell)) this.#layParts(viewport, index, shown, parts);
    else this.#layShow(viewport, index, cell, shown);
  }

  #layParts(viewport, index, shown, parts) {
    const asked = parts.map((name) => [name, shown[`${index}.${name}`]]).filter(([, cell]) => cell);
    const change = Object.assign({}, ...asked.map(([name, cell]) => wanted(viewport, name, cell, this.chosen.get(viewport))));
    if (!Object.keys(change).length) return;
    if (viewport.playing) viewport.stop();
    if (viewport.asleep) viewport.amend(change);
    else viewport.change(change);
  }

  #layShow(viewport, index, cell, shown) {
    const view = viewOf(shown, index);
    const { workbench } = this;
    const tile = workbench.tile(cell.series, view.stack ?? 0) ?? workbench.tile(cell.series, null) ?? workbench.tile(cell.series, 0);
    if (tile) workbench.plan(viewport, tile, view);
    else this.#fetch(cell, index);
  }

  /** A prior whose series this page has not asked for yet. */
  async #fetch({ study, organization }, index) {
    const key = `${organization} ${study}`;
    this.asked ??= new Set();
    if (study === this.workbench.study.study_instance_uid || this.asked.has(key)) return;
    this.asked.add(key);
    try {
      this.workbench.thumbnails.addBeside(await rest(studyDoor({ study_instance_uid: study, organization })));
      this.lay([String(index)]);
    } catch (problem) {
      this.asked.delete(key);
      this.workbench.viewports[index]?.remark(problem.message);
    }
  }

  get told() {
    const { viewports } = this.workbench;
    return {
      inside: this.inside,
      you: this.you,
      together: this.together,
      members: this.members,
      cells: this.replica.shown,
      pending: this.replica.pending.length + this.dirty.size,
      cursors: viewports.map((viewport, index) => this.cursors.seenIn(viewport, index)),
    };
  }
}
