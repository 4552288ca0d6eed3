// The reader's hand on a pane: mouse buttons, wheel and fingers, handed to the tools.

import { boundedPan, clamp, jump, wheelSteps, zoomedAbout } from "./geometry.js";
import { whole } from "./space.js";
import { grabbed, toolNamed } from "./tools/index.js";
import { Gestures } from "./touch.js";

const MOUSE_TOOLS = { 1: "pan", 2: "zoom" };
const WHEEL_ZOOM = 1.15;
const OWN_WAYS = "button, a, details, form";
const STILL = 4;

/** Begins to listen on the stage of a viewport. */
export function takeInHand(viewport) {
  return new Hand(viewport);
}

class Hand {
  constructor(viewport) {
    this.viewport = viewport;
    this.drag = null;
    this.wheelRest = 0;
    this.fingersRest = 0;
    this.gestures = new Gestures({
      dragStart: (point) => this.begin(viewport.desk.tool, this.point(point, true)),
      dragMove: (point) => this.drag?.move(this.point(point, true)),
      tap: (point) => this.tap(this.point(point, true)),
      dragEnd: () => this.end(),
      dragCancel: () => this.giveUp(),
      pinch: (gesture) => this.pinch(gesture),
      scroll: (dy) => this.fingers(dy),
      doubleTap: () => viewport.dispatchEvent(new Event("maximise")),
      longPress: (point) => viewport.dispatchEvent(new CustomEvent("menu", { detail: point })),
    });
    this.#listen(viewport.stage);
  }

  #listen(stage) {
    stage.addEventListener("pointerdown", (event) => this.down(event));
    stage.addEventListener("pointermove", (event) => this.move(event));
    stage.addEventListener("pointerup", (event) => this.up(event));
    stage.addEventListener("pointercancel", (event) => this.up(event, true));
    stage.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    stage.addEventListener("contextmenu", (event) => event.preventDefault());
    stage.addEventListener("auxclick", (event) => event.preventDefault());
    stage.addEventListener("dblclick", (event) => {
      if (!event.target.closest(OWN_WAYS) && !toolNamed(this.viewport.desk.tool).draws) this.viewport.dispatchEvent(new Event("maximise"));
    });
  }

  /** A point of the screen as a point of the pane: CSS pixels, and fractions of it from its middle; `touch`: of a finger. */
  point({ x, y }, touch = false) {
    const box = this.viewport.stage.getBoundingClientRect();
    return {
      x: x - box.left,
      y: y - box.top,
      width: box.width,
      height: box.height,
      touch,
      fraction: [(x - box.left) / box.width - 0.5, (y - box.top) / box.height - 0.5],
    };
  }

  /** What lies on the picture may be taken in hand before the tool is. */
  begin(name, point) {
    const { viewport } = this;
    if (viewport.state !== "shown" && !(viewport.state === "failed" && name === "scroll")) return;
    viewport.stop();
    const held = name === viewport.desk.tool ? grabbed(viewport, point, toolNamed(name)) : null;
    this.drag = held ?? toolNamed(name).begin(viewport, point);
    viewport.element.dataset.dragging = held ? "mark" : name;
  }

  /** A tap, and a click that did not move: a drawing tool sets a point, otherwise it picks what lies there. */
  tap(point) {
    if (toolNamed(this.viewport.desk.tool).draws) {
      this.begin(this.viewport.desk.tool, point);
      this.end();
    } else this.viewport.dispatchEvent(new CustomEvent("pick", { detail: point }));
  }

  end() {
    this.drag?.end?.();
    this.drag = null;
    delete this.viewport.element.dataset.dragging;
  }

  giveUp() {
    this.drag?.cancel?.();
    this.end();
  }

  down(event) {
    if (event.target.closest(OWN_WAYS)) return;
    this.viewport.dispatchEvent(new Event("activate"));
    this.viewport.stage.setPointerCapture(event.pointerId);
    const at = { x: event.clientX, y: event.clientY };
    if (event.pointerType === "touch") {
      this.gestures.down(event.pointerId, at);
      return;
    }
    event.preventDefault();
    if (this.drag) this.end();
    this.pressed = event.button ? null : this.point(at);
    this.begin(MOUSE_TOOLS[event.button] ?? this.viewport.desk.tool, this.point(at));
  }

  move(event) {
    const at = { x: event.clientX, y: event.clientY };
    if (event.pointerType === "touch") this.gestures.move(event.pointerId, at);
    else if (this.drag) this.drag.move(this.point(at));
  }

  up(event, cancelled = false) {
    if (event.pointerType !== "touch") {
      const held = this.viewport.element.dataset.dragging;
      this.end();
      this.clicked(this.point({ x: event.clientX, y: event.clientY }), held);
    } else if (cancelled) this.gestures.cancel(event.pointerId);
    else this.gestures.up(event.pointerId);
  }

  clicked(point, held) {
    const { pressed, viewport } = this;
    this.pressed = null;
    if (!pressed || held === "mark" || Math.hypot(point.x - pressed.x, point.y - pressed.y) > STILL) return;
    if (!toolNamed(viewport.desk.tool).draws) viewport.dispatchEvent(new CustomEvent("pick", { detail: point }));
  }

  pinch({ factor, dx, dy, at }) {
    const { viewport } = this;
    if (viewport.state !== "shown") return;
    const point = this.point(at);
    const { zoom, pan } = zoomedAbout(viewport.zoom, viewport.pan, factor, point.fraction);
    viewport.change({ zoom, pan: boundedPan([pan[0] + dx / point.width, pan[1] + dy / point.height], zoom) });
  }

  fingers(dy) {
    const { viewport } = this;
    this.fingersRest += dy;
    const perFrame = clamp((0.8 * viewport.stage.clientHeight) / Math.max(1, viewport.frames), 2, 30);
    const steps = Math.trunc(this.fingersRest / perFrame);
    this.fingersRest -= steps * perFrame;
    if (steps) viewport.step(steps);
  }

  wheel(event) {
    event.preventDefault();
    const { viewport } = this;
    viewport.dispatchEvent(new Event("activate"));
    const { steps, rest } = wheelSteps(this.wheelRest, event);
    this.wheelRest = rest;
    if (steps && whole(viewport.wish)) viewport.zoomBy(WHEEL_ZOOM ** -steps, this.point({ x: event.clientX, y: event.clientY }).fraction);
    else if (steps) viewport.step(steps * (event.ctrlKey ? jump(viewport.frames) : 1));
  }
}
