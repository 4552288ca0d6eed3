// The reader's hand on a pane: mouse buttons, wheel and fingers, handed to the tools.

import { boundedPan, clamp, jump, wheelSteps, zoomedAbout } from "./geometry.js";
import { whole } from "./space.js";
import { toolNamed } from "./tools/index.js";
import { Gestures } from "./touch.js";

const MOUSE_TOOLS = { 1: "pan", 2: "zoom" };
const WHEEL_ZOOM = 1.15;
const OWN_WAYS = "button, a, details";

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
      dragStart: (point) => this.begin(viewport.desk.tool, this.point(point)),
      dragMove: (point) => this.drag?.move(this.point(point)),
      dragEnd: () => this.end(),
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
      if (!event.target.closest(OWN_WAYS)) this.viewport.dispatchEvent(new Event("maximise"));
    });
  }

  /** A point of the screen as a point of the pane: CSS pixels, and fractions of it from its middle. */
  point({ x, y }) {
    const box = this.viewport.stage.getBoundingClientRect();
    return {
      x: x - box.left,
      y: y - box.top,
      width: box.width,
      height: box.height,
      fraction: [(x - box.left) / box.width - 0.5, (y - box.top) / box.height - 0.5],
    };
  }

  begin(name, point) {
    const { viewport } = this;
    if (viewport.state !== "shown" && !(viewport.state === "failed" && name === "scroll")) return;
    viewport.stop();
    this.drag = toolNamed(name).begin(viewport, point);
    viewport.element.dataset.dragging = name;
  }

  end() {
    this.drag?.end?.();
    this.drag = null;
    delete this.viewport.element.dataset.dragging;
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
    this.begin(MOUSE_TOOLS[event.button] ?? this.viewport.desk.tool, this.point(at));
  }

  move(event) {
    const at = { x: event.clientX, y: event.clientY };
    if (event.pointerType === "touch") this.gestures.move(event.pointerId, at);
    else if (this.drag) this.drag.move(this.point(at));
  }

  up(event, cancelled = false) {
    if (event.pointerType !== "touch") this.end();
    else if (cancelled) this.gestures.cancel(event.pointerId);
    else this.gestures.up(event.pointerId);
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
