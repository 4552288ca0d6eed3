// The panes on the desk: how many, which one is active, which fills the desk, and what is dropped into them.

import { Viewport } from "./viewport.js";

/** name -> [rows, columns] */
export const LAYOUTS = { "1x1": [1, 1], "1x2": [1, 2], "2x1": [2, 1], "2x2": [2, 2] };
const PROJECTIONS = new Set(["CR", "DX", "MG", "PX", "IO", "RG"]);
const DRAWN_ON = new Set(["SEG"]);
const WIDE_ENOUGH = 1100;

/** The tiles as they hang: what was taken before what was drawn on it. */
export const hangingOrder = (tiles) => [...tiles].sort((a, b) => DRAWN_ON.has(a.series.modality) - DRAWN_ON.has(b.series.modality));

/** The first layout for a study: one pane for one stack, a small screen or one thing to scroll; pairs where pairs are read. */
export function firstLayout(stacks, width) {
  if (stacks.length < 2 || width < WIDE_ENOUGH) return "1x1";
  const projections = stacks.every(({ series }) => PROJECTIONS.has(series.modality));
  if (stacks.length >= 4) return projections || stacks.every(({ series }) => series.modality === "MR") ? "2x2" : "1x2";
  return "1x2";
}

export class Layout extends EventTarget {
  constructor(element, desk) {
    super();
    this.element = element;
    this.desk = desk;
    this.panes = [];
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
    this.panes.forEach((viewport, index) => (index < count ? viewport.wake() : viewport.sleep()));
    this.activate(this.activeIndex);
    this.dispatchEvent(new Event("layout"));
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
