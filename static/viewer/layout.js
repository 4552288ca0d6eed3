// The panes on the desk: how many, which one is active, which fills the desk, and what is dropped into them.

import { Opening } from "./opening.js";
import { Viewport } from "./viewport.js";

const MOST = 4;
const sides = Array.from({ length: MOST }, (_, index) => index + 1);

/** name -> [rows, columns], up to 4 x 4 */
export const LAYOUTS = Object.fromEntries(sides.flatMap((rows) => sides.map((columns) => [`${rows}x${columns}`, [rows, columns]])));

export class Layout extends EventTarget {
  constructor(element, desk) {
    super();
    this.element = element;
    this.desk = desk;
    this.panes = [];
    this.opening = new Opening();
    this.shown = 0;
    this.name = "";
    this.maximised = false;
    this.activeIndex = 0;
  }

  get viewports() {
    return this.panes.slice(0, this.shown);
  }

  get active() {
    return this.panes[this.activeIndex];
  }

  set(name) {
    const [rows, columns] = LAYOUTS[name] ?? LAYOUTS["1x1"];
    const count = rows * columns;
    while (this.panes.length < count) this.panes.push(this.#make(this.panes.length + 1));
    if (this.activeIndex >= count) this.#bringForward(count - 1);
    this.name = name;
    this.shown = count;
    this.maximised = false;
    this.element.dataset.layout = name;
    delete this.element.dataset.maximised;
    this.element.replaceChildren(...this.viewports.map((viewport) => viewport.element));
    this.panes.forEach((viewport, index) => (index < count ? this.#wake(viewport) : this.#sleep(viewport)));
    this.activate(this.activeIndex);
    this.dispatchEvent(new Event("layout"));
  }

  /** Puts a series into a viewport; it is opened when its turn comes. */
  plan(viewport, source, view = {}) {
    this.opening.done(viewport);
    viewport.reserve(source, view);
    this.#wake(viewport);
  }

  #wake(viewport) {
    if (viewport.asleep) this.opening.add(viewport);
  }

  #sleep(viewport) {
    this.opening.done(viewport);
    viewport.sleep();
  }

  /** The active pane must stay in sight when there are fewer. */
  #bringForward(index) {
    const [pane] = this.panes.splice(this.activeIndex, 1);
    this.panes.splice(index, 0, pane);
    this.activeIndex = index;
  }

  activate(index) {
    this.activeIndex = Math.min(Math.max(0, index), Math.max(0, this.shown - 1));
    this.panes.forEach((viewport, at) => {
      viewport.element.toggleAttribute("data-active", at === this.activeIndex);
    });
    if (this.maximised) this.#showMaximised();
    this.dispatchEvent(new Event("active"));
  }

  next(by) {
    if (this.shown > 1) this.activate((this.activeIndex + by + this.shown) % this.shown);
  }

  maximise(index = this.activeIndex) {
    if (this.shown < 2) return;
    this.maximised = !this.maximised;
    this.activate(index);
    if (!this.maximised) {
      delete this.element.dataset.maximised;
      for (const { element } of this.viewports) element.hidden = false;
    }
    this.dispatchEvent(new Event("layout"));
  }

  #showMaximised() {
    this.element.dataset.maximised = "yes";
    this.viewports.forEach(({ element }, at) => (element.hidden = at !== this.activeIndex));
  }

  #make(number) {
    const viewport = new Viewport(this.desk, number);
    const index = () => this.panes.indexOf(viewport);
    viewport.addEventListener("painted", () => this.opening.done(viewport));
    viewport.addEventListener("state", () => viewport.state !== "opening" && this.opening.done(viewport));
    viewport.addEventListener("activate", () => index() !== this.activeIndex && this.activate(index()));
    viewport.addEventListener("maximise", () => this.maximise(index()));
    for (const name of ["painted", "opened", "state", "cine", "menu", "changed", "back"]) {
      viewport.addEventListener(name, (event) => this.dispatchEvent(new CustomEvent(name, { detail: { viewport, value: event.detail } })));
    }
    this.#dropTarget(viewport, index);
    return viewport;
  }

  #dropTarget(viewport, index) {
    const { element } = viewport;
    const wanted = (event) => event.dataTransfer?.types.includes("application/x-farview-series");
    element.addEventListener("dragover", (event) => {
      if (!wanted(event)) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
      element.dataset.drop = "yes";
    });
    element.addEventListener("dragleave", () => delete element.dataset.drop);
    element.addEventListener("drop", (event) => {
      delete element.dataset.drop;
      if (!wanted(event)) return;
      event.preventDefault();
      const what = JSON.parse(event.dataTransfer.getData("application/x-farview-series"));
      this.activate(index());
      this.dispatchEvent(new CustomEvent("drop", { detail: { viewport, ...what } }));
    });
  }
}
