// The hands of the others, drawn over the pictures that they are on; and where one's own hand is, told at most twenty times a second.

import { part } from "../linking/svg.js";
import { glassOf, placed, pointedAt } from "./pointing.js";

const LAYER = "live";
const PAUSE = 50;
/** A hand that has been still for so long is not shown any more. */
const STILL = 15000;
const ARROW = "M0 0V15.5L3.8 12L6.4 18L9.1 16.8L6.5 11H11.6Z";
const EDGE = 4;

export class Cursors {
  /** @param workbench @param tell called with {pane, series, at}, or {} when the hand is nowhere */
  constructor(workbench, tell) {
    this.workbench = workbench;
    this.tell = tell;
    this.others = new Map();
    this.hand = null;
    this.told = "{}";
    this.on = false;
    this.#listen(workbench.layout.element);
  }

  // --- one's own

  #listen(panes) {
    const moved = (event) => {
      const touch = event.pointerType === "touch";
      if (touch && event.type === "pointermove" && !this.hand) return;
      this.hand = { x: event.clientX, y: event.clientY, pane: event.target.closest?.(".pane") ?? null };
      this.soon();
    };
    const gone = () => {
      this.hand = null;
      this.soon();
    };
    panes.addEventListener("pointermove", moved);
    panes.addEventListener("pointerdown", moved);
    panes.addEventListener("pointerleave", gone);
    for (const name of ["pointerup", "pointercancel"]) panes.addEventListener(name, (event) => event.pointerType === "touch" && gone());
  }

  /** Tells where the hand is by then; also when it rests, and the picture under it is another one. */
  soon() {
    if (!this.on || this.timer) return;
    this.timer = setTimeout(() => {
      this.timer = null;
      const here = this.#here();
      if (!this.on || JSON.stringify(here) === this.told) return;
      this.told = JSON.stringify(here);
      this.tell(here);
    }, PAUSE);
  }

  #here() {
    const { viewports } = this.workbench;
    const pane = viewports.findIndex(({ element }) => element === this.hand?.pane);
    const { state, header, stage } = viewports[pane] ?? {};
    if (state !== "shown" || !header) return {};
    const box = stage.getBoundingClientRect();
    const at = pointedAt(header, { x: this.hand.x - box.left, y: this.hand.y - box.top }, glassOf(header));
    return at ? { pane, series: header.view.series, at } : {};
  }

  // --- the others'

  /** The members of the session: {id, name, color}; `you` is one's own number. Nobody: the session is over. */
  set(members, you) {
    this.members = new Map(members.filter(({ id }) => id !== you).map((one) => [one.id, one]));
    for (const id of this.others.keys()) if (!this.members.has(id)) this.others.delete(id);
    this.on = you !== null;
    if (!this.on) this.told = "{}";
    this.draw();
  }

  heard({ member, pane, series, at }) {
    clearTimeout(this.others.get(member)?.timer);
    if (at) this.others.set(member, { pane, series, at, timer: setTimeout(() => this.heard({ member, at: null }), STILL) });
    else this.others.delete(member);
    this.draw();
  }

  draw() {
    this.drawing ??= requestAnimationFrame(() => {
      this.drawing = null;
      this.workbench.viewports.forEach((viewport, index) => this.#drawIn(viewport, index));
    });
  }

  /** {member, x, y} of those that are on the picture of a pane. */
  seenIn(viewport, index) {
    const { header } = viewport;
    const here = [...this.others].filter(([, { pane, series }]) => pane === index && series === header?.view.series && viewport.state === "shown");
    const found = here.map(([member, { at }]) => ({ member, ...placed(header, at, glassOf(header)) }));
    return found.filter(({ x }) => x !== undefined);
  }

  #drawIn(viewport, index) {
    const found = this.seenIn(viewport, index);
    const layer = viewport.layer(LAYER);
    const names = new Set(found.map(({ member }) => String(member)));
    for (const child of [...layer.children]) if (!names.has(child.dataset.part)) child.remove();
    for (const { member, x, y } of found) this.#hand(layer, this.members.get(member), { x, y }, viewport.box);
  }

  #hand(layer, { id, name, color }, { x, y }, { width, height }) {
    const group = part(layer, String(id), "g", { class: "live-hand", "data-color": color, transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})` });
    part(group, "arrow", "path", { d: ARROW, class: "live-arrow" });
    const flag = part(group, "flag", "g", {});
    const back = part(flag, "back", "rect", { rx: 3, class: "live-flag", height: 18 });
    const text = part(flag, "text", "text", { class: "live-name", x: 6, y: 13 });
    if (text.textContent !== name) text.textContent = name;
    const long = text.getComputedTextLength() + 12;
    back.setAttribute("width", long.toFixed(1));
    const left = x + 12 + long > width - EDGE ? -long - 4 : 12;
    const top = y + 36 > height - EDGE ? -20 : 14;
    flag.setAttribute("transform", `translate(${left.toFixed(1)} ${top})`);
  }
}
