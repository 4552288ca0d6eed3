// Cine: playing in true time, faster and slower, back and forth; subtraction of a mask; going through time at one place.

import { t } from "../../i18n.js";
import { keysOf } from "../keys.js";
import { reformatted, whole } from "../space.js";
import { Bar } from "./cine/bar.js";
import { canSubtract, maskHerePart, shiftOf, shiftPart, subtractPart, subtracts, unshiftPart } from "./cine/subtraction.js";
import { timeLabels, timesOf } from "./cine/times.js";

const NAME = "cine";
const SPEEDS = [0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4];
const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const FINE = 0.1;
const TIME_RATE = 4;
const OWN_KEYS = "input, select, textarea, [role=menu], dialog";

/** Hangs this feature into the page. */
export function install(workbench) {
  const feature = new Cine(workbench);
  workbench.command("cine-speed", (by) => feature.faster(by), (by) => (by < 0 ? t("Play slower") : by > 0 ? t("Play faster") : t("Play in true time")));
  workbench.command("cine-sweep", () => feature.set({ sweep: !workbench.active.player.sweep }), () => t("Play back and forth"));
  workbench.command("cine-time", () => feature.playTime(), () => t("Play through time at this place"));
  workbench.command("time", (by) => feature.time(by), (by) => (by < 0 ? t("Time before, at this place") : t("Time after, at this place")));
  workbench.command("subtract", () => feature.masked(subtractPart), () => t("Subtract the mask"));
  workbench.command("mask-here", () => feature.masked(maskHerePart), () => t("This image as mask"));
  workbench.command("mask-shift", (way) => feature.shift(way, 1), () => t("Move the mask"));
  workbench.command("mask-unshift", () => feature.masked(unshiftPart), () => t("Mask back in place"));
  const group = workbench.toolbar.group(NAME, t("Cine and subtraction"));
  workbench.toolbar.menu(group, { label: t("Cine, subtraction, time"), icon: "film", name: NAME, fill: (menu) => feature.fill(menu) });
  workbench.inspect(NAME, () => feature.told);
}

class Cine {
  constructor(workbench) {
    this.workbench = workbench;
    this.bar = new Bar(workbench, this);
    this.wanted = workbench.remembered.get("cinebar", "yes") === "yes";
    for (const name of ["active", "painted", "opened", "state", "cine", "layout", "command", "shown"]) workbench.on(name, () => this.#soon());
    workbench.on("painted", ({ viewport }) => this.#follow(viewport));
    document.addEventListener("keydown", (event) => this.#key(event), { capture: true });
    document.getElementById("panes").addEventListener("wheel", (event) => this.#wheel(event), { capture: true, passive: false });
  }

  get told() {
    const { active } = this.workbench;
    return { speed: active.player.speed, sweep: active.player.sweep, wanted: active.player.wanted, last: active.player.last, times: this.times(active)?.count ?? 0, time: this.times(active)?.at ?? null, mask: active.wish.mask ?? null, shift: shiftOf(active) };
  }

  #soon() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.bar.show(this.wanted ? this.workbench.active : null);
    });
  }

  /** What the bar has to show for a pane; null for nothing. */
  parts(viewport) {
    const still = !whole(viewport.wish);
    const clip = still && viewport.frames > 1 && (viewport.playing || this.stackOf(viewport)?.kind === "cine");
    const subtraction = still && !reformatted(viewport.wish) && canSubtract(viewport);
    const times = this.times(viewport);
    return clip || subtraction || times ? { clip, subtraction, times } : null;
  }

  stackOf(viewport) {
    return viewport.opened?.stacks?.find(({ stack }) => stack === (viewport.wish.stack ?? 0)) ?? null;
  }

  // --- playing

  set(part) {
    this.workbench.active.player.set(part);
    this.#soon();
  }

  /** To the next speed; 0 is true time. */
  faster(by) {
    const { speed } = this.workbench.active.player;
    const at = SPEEDS.findIndex((one) => one >= speed);
    this.set({ speed: by ? SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, at + by))] : 1 });
  }

  /** Plays the stacks at this place one after the other; again: stops. */
  playTime() {
    const { active } = this.workbench;
    const { player } = active;
    if (active.playing) {
      active.stop();
      return;
    }
    const group = this.#group(active);
    if (!group.length) return;
    const numbers = group.map(({ stack }) => stack);
    player.play({
      track: {
        frames: numbers.length,
        at: numbers.indexOf(active.wish.stack ?? 0),
        times: { frame_time_ms: 1000 / TIME_RATE },
        go: (index) => this.goToTime(index),
        seen: ({ view }) => numbers.indexOf(view.stack),
      },
    });
  }

  // --- through time at one place

  #group(viewport) {
    return timesOf(viewport.opened?.stacks, viewport.wish.stack ?? 0);
  }

  /** {count, at, label} of the stacks at the place that a pane shows; null where it is alone. */
  times(viewport) {
    const group = this.#group(viewport);
    if (!group.length) return null;
    const at = group.findIndex(({ stack }) => stack === (viewport.wish.stack ?? 0));
    const name = timeLabels(group)[at];
    const label = name ? t("{name} ({n} of {m})", { name, n: at + 1, m: group.length }) : t("{n} of {m}", { n: at + 1, m: group.length });
    return { count: group.length, at, label };
  }

  /** To the stack at `index` of those at this place; the place stays. */
  goToTime(index, viewport = this.workbench.active) {
    const stack = this.#group(viewport)[index]?.stack;
    if (stack === undefined || stack === (viewport.wish.stack ?? 0)) return;
    const place = reformatted(viewport.wish) || whole(viewport.wish) ? {} : { frame: viewport.frame };
    viewport.change({ stack, ...place });
    this.#soon();
  }

  time(by, viewport = this.workbench.active) {
    const now = this.times(viewport);
    if (!now) return;
    viewport.stop();
    this.goToTime(Math.min(now.count - 1, Math.max(0, now.at + by)), viewport);
  }

  /** The corner texts speak of the stack that is painted. */
  #follow(viewport) {
    const { header, source } = viewport;
    if (!source?.stack || header.view.stack === source.stack.stack) return;
    const { thumbnails, viewports, active } = this.workbench;
    const stack = source.series.stacks?.find((one) => one.stack === header.view.stack);
    if (!stack) return;
    viewport.retitle(this.workbench.tile(source.series.series_instance_uid, stack.stack) ?? { ...source, stack });
    thumbnails.mark(viewports.map((one) => one.source), active?.source);
  }

  #wheel(event) {
    if (!event.shiftKey || event.ctrlKey) return;
    const viewport = this.workbench.viewports.find(({ element }) => element.contains(event.target));
    if (!viewport || !this.times(viewport)) return;
    event.preventDefault();
    event.stopPropagation();
    const way = Math.sign(event.deltaY || event.deltaX);
    if (way) this.time(way, viewport);
  }

  // --- subtraction

  /** Changes the active pane where its stack can be subtracted. */
  masked(part) {
    const { active } = this.workbench;
    if (!canSubtract(active)) return;
    active.change(part(active));
    this.#soon();
  }

  shift(way, by) {
    const { active } = this.workbench;
    if (!subtracts(active)) return;
    active.change(shiftPart(active, way, by));
    this.#soon();
  }

  /** Shift and arrows move the mask while there is one; else they mean what the key map says. */
  #key(event) {
    const way = WAYS[event.key];
    if (!way || !event.shiftKey || event.altKey || event.metaKey || event.target.closest?.(OWN_KEYS) || !subtracts(this.workbench.active)) return;
    event.preventDefault();
    event.stopPropagation();
    this.shift(way, event.ctrlKey ? FINE : 1);
  }

  // --- the menu

  fill(menu) {
    const { workbench } = this;
    const { active } = workbench;
    const { player } = active;
    const run = (command, argument) => () => workbench.run(command, argument);
    const times = this.times(active);
    if (active.frames > 1) {
      menu.heading(t("Play"));
      menu.item({ label: active.playing ? t("Stop") : t("Play"), icon: workbench.icon(active.playing ? "pause" : "play"), key: this.#keyOf("cine"), run: run("cine") });
      menu.item({ label: t("From the beginning again"), checked: !player.sweep, run: () => this.set({ sweep: false }) });
      menu.item({ label: t("Back and forth"), checked: player.sweep, run: () => this.set({ sweep: true }) });
      menu.item({ label: t("Faster"), key: this.#keyOf("cine-speed", 1), run: run("cine-speed", 1) });
      menu.item({ label: t("Slower"), key: this.#keyOf("cine-speed", -1), run: run("cine-speed", -1) });
      menu.item({ label: t("True time"), detail: player.speed === 1 ? "" : `×${player.speed}`, checked: player.speed === 1, run: run("cine-speed", 0) });
    }
    if (canSubtract(active)) {
      menu.heading(t("Subtraction"));
      menu.item({ label: t("Subtract the mask"), key: this.#keyOf("subtract"), checked: subtracts(active), run: run("subtract") });
      menu.item({ label: t("This image as mask"), key: this.#keyOf("mask-here"), run: run("mask-here") });
      if (subtracts(active)) menu.item({ label: t("Mask back in place"), detail: shiftOf(active).join(", "), run: run("mask-unshift") });
    }
    if (times) {
      menu.heading(t("Time, at this place"));
      menu.item({ label: t("Before"), key: this.#keyOf("time", -1), run: run("time", -1) });
      menu.item({ label: t("After"), key: this.#keyOf("time", 1), run: run("time", 1) });
      menu.item({ label: active.playing ? t("Stop") : t("Play through time"), run: run("cine-time") });
    }
    if (active.frames <= 1 && !times) menu.note(t("There is one image, and nothing to play."));
    menu.heading(t("Bar"));
    menu.item({ label: t("Show the bar on clips"), checked: this.wanted, run: () => this.#toggleBar() });
  }

  #keyOf(command, argument) {
    return keysOf(command, argument, this.workbench.toolbar.map)[0] ?? "";
  }

  #toggleBar() {
    this.wanted = !this.wanted;
    this.workbench.remembered.set("cinebar", this.wanted ? "yes" : "no");
    this.#soon();
  }
}
