// One pane: a canvas that paints what the server sends, its words, and the reader's hand. Draws no pixel of its own.

import { t, told } from "../i18n.js";
import { explained } from "./errors.js";
import { clamp, fitScale, zoomedAbout, zoomNumber } from "./geometry.js";
import { Glass } from "./glass.js";
import { takeInHand } from "./hand.js";
import { Loading } from "./loading.js";
import { Notes } from "./notes.js";
import { Notice } from "./notice.js";
import { Overlay } from "./overlay.js";
import { Player } from "./player.js";
import { mergedView } from "./protocol.js";
import { Slider } from "./slider.js";
import { along, placePart, reformatted, resetPart, spotOf, whole } from "./space.js";
import { newer } from "./versions.js";

const PICTURE = { colorSpaceConversion: "none", premultiplyAlpha: "none" };
const NUMBER_AFTER = 1000;
const PATIENCE = 3000;
const INITIAL = {
  window_center: null,
  window_width: null,
  voi_lut_function: null,
  preset: null,
  zoom: 1,
  pan: [0, 0],
  rotation: 0,
  flip_horizontal: false,
  flip_vertical: false,
  inverted: false,
  color_map: null,
};

function make(tag, className, parent) {
  const element = document.createElement(tag);
  element.className = className;
  parent?.append(element);
  return element;
}

export class Viewport extends EventTarget {
  /** @param desk what the panes share: {connection, study, tool, level, icon} */
  constructor(desk, number) {
    super();
    this.desk = desk;
    this.number = number;
    this.channel = null;
    this.source = null;
    this.opened = null;
    this.header = null;
    this.painted = null;
    this.paintedIndex = -1;
    this.decoded = null;
    this.newest = -1;
    this.told = null;
    this.state = "empty";
    this.counts = { received: 0, painted: 0 };
    this.timing = {};
    this.#build();
    this.#listen();
    this.#notice();
  }

  // --- what it shows

  /** Shows a stack of a series: {series, stack} of the study's JSON, from `view` or as the server chooses. */
  show(source, view = {}) {
    this.close();
    this.source = source;
    if (source.series.not_drawn && !source.stack) {
      this.#enter("not-drawn");
      return;
    }
    this.first = { plane: "acquired", stack: source.stack?.stack ?? 0, ...view };
    this.#enter("opening");
    this.#open(this.first);
  }

  /** Keeps a stack of a series to be shown when the viewport is woken. */
  reserve(source, view = {}) {
    if (source.series.not_drawn && !source.stack) {
      this.show(source, view);
      return;
    }
    this.close();
    this.source = source;
    this.first = { plane: "acquired", stack: source.stack?.stack ?? 0, ...view };
    this.#enter("opening");
  }

  /** Forgets the series: the pane is empty again. */
  close() {
    this.stop();
    this.channel?.close();
    this.channel = null;
    this.source = null;
    this.opened = null;
    this.#blank();
    this.#enter("empty");
  }

  /** Nothing may be shown here, and `reason` says why. */
  withhold(reason) {
    this.close();
    this.reason = reason;
    this.#enter("withheld");
  }

  /** Out of sight: keeps the picture and the View, and asks nothing of the server. */
  sleep() {
    this.stop();
    if (!this.channel) return;
    this.first = { ...this.channel.wish };
    this.channel.close();
    this.channel = null;
  }

  /** What it will show once it is woken is changed meanwhile. */
  amend(part) {
    this.first = mergedView(this.first, part);
  }

  /** Back in sight: goes on where it was. */
  wake() {
    if (this.asleep) this.#open(this.first);
  }

  /** True where there is something to show and nothing was asked of the server yet, or no longer is. */
  get asleep() {
    return !this.channel && this.source !== null && this.state !== "not-drawn";
  }

  retry() {
    const { channel, source, first } = this;
    if (channel && !this.dead) this.desk.connection.reopen(channel);
    else if (source) this.show(source, first);
  }

  #open(view) {
    const size = this.glass.size;
    this.timing = { asked: performance.now() };
    this.newest = -1;
    this.dead = false;
    this.channel = this.desk.connection.open(this.source.series.series_instance_uid, { ...view, ...(this.organization ? { organization: this.organization } : {}), ...(size ? { size } : {}) }, {
      opening: (again) => this.#opening(again),
      opened: (message) => this.#openedBy(message),
      frame: (header, payload) => this.#received(header, payload),
      error: (message) => this.#failed(message),
      news: (message) => this.#news(message),
    });
  }

  /** The study of what is shown: that of the page, or a prior. */
  get study() {
    return this.source?.study ?? this.desk.study;
  }

  get organization() {
    return this.study.organization ?? null;
  }

  #opening(again) {
    this.newest = -1;
    this.paintedIndex = -1;
    this.decoded?.bitmap.close();
    this.decoded = null;
    this.timing.sent = performance.now();
    this.timing.painted = undefined;
    if (again) this.overlay.badge(false);
  }

  #openedBy(message) {
    this.opened = message;
    this.timing.opened = performance.now();
    this.#markMore();
    this.notes.show(message.warnings, this.header?.warnings);
    this.dispatchEvent(new Event("opened"));
  }

  #news(message) {
    if (message.type === "series.progress") {
      this.progress = message;
      if (this.state === "shown") this.loading.show(message);
      else this.#notice();
    }
    if (message.type !== "series.changed") return;
    if (!this.told || newer(message.series_version, this.told.series_version)) this.told = message;
    this.#markMore();
    this.dispatchEvent(new CustomEvent("changed", { detail: message }));
  }

  /** Says that images came which are not shown here. News of what is shown already comes late, and means nothing. */
  #markMore() {
    this.more.hidden = !(this.told && newer(this.told.series_version, this.opened?.series_version));
  }

  /** A frame that gives no picture takes the older one off the glass, and the reader can scroll on; another refusal leaves
   *  the picture, for it stays the truth. */
  #failed(message) {
    if (message.code === "busy") {
      this.#openLater();
      return;
    }
    this.problem = explained(message);
    this.loading.hide();
    this.dead = !this.opened || message.code === "not_found";
    if (this.painted && !["cannot_decode", "not_found"].includes(message.code)) this.#passing(this.problem);
    else {
      this.#slide();
      this.#enter("failed");
    }
  }

  /** The server tries again by itself; should it not, the series is opened anew. */
  #openLater() {
    const { channel, counts } = this;
    const { received } = counts;
    clearTimeout(this.openTimer);
    this.openTimer = setTimeout(() => {
      if (channel && channel === this.channel && counts.received === received) this.desk.connection.reopen(channel);
    }, PATIENCE);
  }

  // --- what is wanted

  /** What the reader wants to see by now. */
  get wish() {
    return this.channel?.wish ?? this.header?.view ?? this.first ?? {};
  }

  /** Frames of the stack that is shown. */
  get stackFrames() {
    return this.header?.frames ?? this.opened?.stacks?.find(({ stack }) => stack === (this.wish.stack ?? 0))?.frames ?? this.opened?.frames ?? this.source?.stack?.frames ?? 0;
  }

  /** How many places there are to scroll to: frames of the stack, or planes of the volume. */
  get frames() {
    return reformatted(this.wish) || whole(this.wish) ? (along(this.wish, this.header)?.count ?? 1) : this.stackFrames;
  }

  /** The place that is wanted, 0-based. */
  get frame() {
    if (reformatted(this.wish)) return along(this.wish, this.header)?.at ?? 0;
    return Number.isInteger(this.wish.frame) ? this.wish.frame : (this.header?.view.frame ?? 0);
  }

  /** What another plane or projection begins from. */
  get standpoint() {
    const { wish, header, opened, spot, stackFrame } = this;
    return { view: wish, header, opened, spot, stackFrame };
  }

  /** True where the stack makes a volume. */
  get inSpace() {
    return Boolean(this.opened?.geometry);
  }

  sayNoVolume() {
    const detail = told(this.opened?.geometry_reason ?? "");
    this.#passing({ title: t("This stack makes no volume"), detail });
  }

  sayNoWindow() {
    this.remark(t("A volume picture has no window"), t("its colours are those of its preset; choose another one there"));
  }

  /** A word on the picture that stands: what cannot be done here, and why. */
  remark(title, detail = "") {
    this.#passing({ title, detail });
  }

  get fit() {
    const { stack } = this.source ?? {};
    const size = this.wish.size ?? this.glass.size;
    return stack?.rows && size ? fitScale(size, stack.rows, stack.columns, this.wish.rotation ?? 0) : 1;
  }

  get zoom() {
    return zoomNumber(this.wish.zoom ?? 1, this.fit);
  }

  get pan() {
    return this.wish.pan ?? [0, 0];
  }

  /** Window to begin a drag from; a VOI LUT has none, so the first plain preset stands in. */
  get window() {
    const known = [this.wish, this.header?.view, ...(this.opened?.presets ?? [])];
    const plain = known.find((one) => Number.isFinite(one?.window_width));
    return {
      center: plain?.window_center ?? 128,
      width: plain?.window_width ?? 256,
      voi_lut_function: plain?.voi_lut_function ?? "LINEAR",
    };
  }

  /** Asks for a change of the View. */
  change(part) {
    if (!this.channel || this.dead) return;
    this.channel.change(part);
    this.overlay.badge(false);
    this.#slide();
    this.#soon();
    this.dispatchEvent(new CustomEvent("wished", { detail: part }));
  }

  /** Gives up what is still loading: back to the picture that stands. */
  #takeBack() {
    this.loading.hide();
    if (!this.header) return;
    this.change(this.header.view);
    this.dispatchEvent(new Event("back"));
  }

  goTo(frame) {
    const next = clamp(Math.round(frame), 0, Math.max(0, this.frames - 1));
    if (next !== this.frame) this.change(reformatted(this.wish) ? placePart(next, this.wish, this.header) : { frame: next });
  }

  step(by) {
    this.stop();
    this.goTo(this.frame + by);
  }

  preset(preset) {
    if (this.wish.projection === "volume") this.sayNoWindow();
    else this.change({ preset: preset.name });
  }

  zoomBy(factor, at = [0, 0]) {
    this.change(zoomedAbout(this.zoom, this.pan, factor, at));
  }

  fitWhole() {
    this.change({ zoom: 1, pan: [0, 0] });
  }

  native() {
    this.change({ zoom: "native", pan: [0, 0] });
  }

  /** Turns what is seen, also when it is flipped: the letters follow from the header. */
  rotate(by) {
    const flipped = Boolean(this.wish.flip_horizontal) !== Boolean(this.wish.flip_vertical);
    this.change({ rotation: (((this.wish.rotation ?? 0) + (flipped ? -by : by) + 360) % 360) });
  }

  flip(way) {
    this.change({ [`flip_${way}`]: !this.wish[`flip_${way}`] });
  }

  invert() {
    if (this.wish.projection === "volume") this.sayNoWindow();
    else this.change({ inverted: !this.wish.inverted });
  }

  reset() {
    this.change({ ...INITIAL, ...resetPart(this.standpoint) });
  }

  // --- cine

  get playing() {
    return this.player.playing;
  }

  /** Times of the present stack: the file's, or null when it names none. */
  get frameTimes() {
    if (reformatted(this.wish)) return null;
    const stack = this.wish.stack ?? 0;
    return this.opened?.stacks?.find((one) => one.stack === stack)?.frame_times_ms ?? this.source?.stack?.frame_times_ms ?? null;
  }

  play(options) {
    this.player.play(options);
  }

  stop() {
    this.player.stop();
  }

  // --- frames

  #received(header, payload) {
    if (header.index <= this.newest) return;
    this.newest = header.index;
    this.counts.received += 1;
    this.timing.received ??= performance.now();
    if (document.hidden) this.channel.shown(header.index);
    createImageBitmap(new Blob([payload], { type: header.media_type }), PICTURE).then(
      (bitmap) => this.#ready(header, bitmap),
      () => this.#unreadable(header),
    );
  }

  /** The newest picture wins; one of an older opening (its name says so) or an overtaken one is dropped. */
  #ready(header, bitmap) {
    const overtaken = this.decoded?.header.index > header.index || header.index < this.paintedIndex;
    if (overtaken || header.viewport !== this.channel?.name) {
      bitmap.close();
      return;
    }
    this.decoded?.bitmap.close();
    this.decoded = { header, bitmap };
    if (document.hidden) this.channel.shown(header.index);
    this.desk.paintSoon(this);
  }

  #unreadable(header) {
    if (header.viewport !== this.channel?.name) return;
    this.channel.shown(header.index);
    this.#failed({ code: "cannot_decode", message: t("The browser could not read the picture that came.") });
  }

  /** Paints the newest decoded picture; called once per animation frame. */
  paint() {
    if (!this.decoded || !this.channel) return;
    const { header, bitmap } = this.decoded;
    this.decoded = null;
    if (header.viewport !== this.channel.name) return bitmap.close();
    this.glass.paint(bitmap, header);
    this.header = header;
    this.paintedIndex = header.index;
    this.counts.painted += 1;
    this.painted = { index: header.index, change: header.change, exact: header.exact, sha256: header.sha256 ?? null, at: performance.now() };
    this.timing.painted ??= performance.now();
    this.channel.shown(header.index);
    return this.#painted(header);
  }

  /** The same pictures by another name: {series, stack} of the stack that they have come to be of. */
  retitle(source) {
    this.source = source;
    if (this.header) this.#word(this.header);
  }

  #word(header) {
    const { study, source, opened, desk } = this;
    this.overlay.update({ header, study, current: desk.study, series: source.series, stack: source.stack, opened, ratio: devicePixelRatio });
  }

  #painted(header) {
    if (this.state !== "shown") this.#enter("shown");
    this.#word(header);
    this.overlay.badge(this.exact);
    this.loading.hide();
    this.notes.show(this.opened?.warnings, header.warnings);
    this.stackFrame = header.view.frame ?? this.stackFrame;
    this.spot = spotOf({ view: header.view, header, opened: this.opened, spot: this.spot });
    this.player.painted(header.view.frame ?? header.depth?.index);
    this.#slide();
    this.dispatchEvent(new Event("painted"));
  }

  /** True while the painted picture is lossless, the newest that came, and the answer to the newest change. */
  get exact() {
    return Boolean(this.header?.exact && this.channel?.settled && this.newest === this.paintedIndex);
  }

  #blank() {
    this.decoded?.bitmap.close();
    this.decoded = null;
    this.header = null;
    this.stackFrame = null;
    this.spot = null;
    this.painted = null;
    this.paintedIndex = -1;
    this.glass.blank();
    for (const layer of this.layers.children) layer.replaceChildren();
    this.overlay.clear();
    this.told = null;
    this.more.hidden = true;
    this.passing.hidden = true;
    this.notes.clear();
    this.loading.hide();
  }

  #resize() {
    const size = this.glass.size;
    const now = this.wish.size;
    if (!size || !this.channel || (now && now[0] === size[0] && now[1] === size[1])) return;
    this.change({ size });
  }

  get canvas() {
    return this.glass.canvas;
  }

  // --- its parts

  /** The group of a feature in the drawing over the picture; the same one for the same name. Coordinates are CSS pixels of
   *  the pane. Nothing in it takes the pointer unless its style says so. */
  layer(name) {
    const found = this.layers.querySelector(`[data-layer="${name}"]`);
    if (found) return found;
    const group = document.createElementNS("http://www.w3.org/2000/svg", "g");
    group.dataset.layer = name;
    this.layers.append(group);
    return group;
  }

  /** {width, height} of the pane in CSS pixels. */
  get box() {
    const { width, height } = this.stage.getBoundingClientRect();
    return { width, height };
  }

  #build() {
    this.element = make("section", "pane");
    this.element.tabIndex = -1;
    this.element.setAttribute("aria-label", t("Viewport {n}", { n: this.number }));
    this.stage = make("div", "stage", this.element);
    this.glass = new Glass(this.stage, () => this.#resize());
    this.layers = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    this.layers.setAttribute("class", "layers");
    this.stage.append(this.layers);
    this.overlay = new Overlay(this.stage);
    this.overlay.level(this.desk.level);
    this.notes = new Notes(this.stage);
    this.loading = new Loading(this.stage, () => this.#takeBack());
    this.more = make("button", "more", this.stage);
    this.more.type = "button";
    this.more.textContent = t("More images came. Show them");
    this.more.hidden = true;
    this.more.addEventListener("click", () => this.channel && this.desk.connection.reopen(this.channel));
    this.passing = make("div", "passing", this.stage);
    this.passing.setAttribute("role", "status");
    this.passing.hidden = true;
    this.notice = new Notice(this);
    this.player = new Player(this);
    this.slider = new Slider(this);
  }

  #listen() {
    document.addEventListener("visibilitychange", () => this.#seen());
    takeInHand(this);
  }

  #slide() {
    this.slider.show(this.frame, this.frames, reformatted(this.wish) ? "place" : "image");
  }

  #seen() {
    if (document.hidden) {
      if (this.newest >= 0) this.channel?.shown(this.newest);
    } else if (this.decoded) this.desk.paintSoon(this);
  }

  // --- states

  #enter(state) {
    this.state = state;
    this.since = performance.now();
    this.progress = null;
    this.element.dataset.state = state;
    this.#notice();
    this.dispatchEvent(new Event("state"));
  }

  #notice() {
    if (this.state !== "shown") this.canvas.setAttribute("aria-label", t("No picture"));
    this.notice.show(this.state);
  }

  /** A refusal while a picture stands: said beside it, gone with the next picture asked for. */
  #passing({ title, detail }) {
    this.passing.textContent = [title, detail].filter(Boolean).join(": ");
    this.passing.hidden = false;
    this.overlay.badge(this.exact);
    clearTimeout(this.passingTimer);
    this.passingTimer = setTimeout(() => (this.passing.hidden = true), 8000);
  }

  /** Says how long an answer has been out, once that is longer than a second. */
  #soon() {
    clearTimeout(this.waitTimer);
    this.waitTimer = setTimeout(() => {
      if (!this.channel || this.channel.answered || this.playing) return;
      this.overlay.badge(false, t(", waiting {n} s", { n: Math.round((performance.now() - this.channel.asked) / 1000) }));
      this.#soon();
    }, NUMBER_AFTER);
  }
}
