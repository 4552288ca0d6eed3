// The canvas of a pane: how many device pixels it has, and the picture on it, pixel for pixel. Imports only words.

import { t } from "../i18n.js";

const SETTLE = 90;

export class Glass {
  /** @param resized called when the pane has had another size for a moment */
  constructor(stage, resized) {
    this.stage = stage;
    this.resized = resized;
    this.canvas = document.createElement("canvas");
    this.canvas.className = "picture";
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", t("No picture"));
    stage.append(this.canvas);
    this.context = this.canvas.getContext("2d", { alpha: false });
    this.context.imageSmoothingEnabled = false;
    this.blank();
    this.#watch();
  }

  /** [rows, columns] of the pane in device pixels; null while it has none. */
  get size() {
    const box = this.stage.getBoundingClientRect();
    const size = [Math.round(box.height * devicePixelRatio), Math.round(box.width * devicePixelRatio)];
    if (size[0] < 1 || size[1] < 1) return null;
    // The browser's own count decides which way a half is rounded; an emulated screen counts other pixels.
    const counted = this.counted;
    return counted && counted.every((value, axis) => Math.abs(value - size[axis]) <= 1) ? counted : size;
  }

  blank() {
    this.canvas.width = 1;
    this.canvas.height = 1;
  }

  /** Paints a picture and closes it. One that was sent with fewer pixels than the View asks for is stretched over its size. */
  paint(bitmap, header) {
    const { canvas } = this;
    if (canvas.width !== header.columns || canvas.height !== header.rows) {
      canvas.width = header.columns;
      canvas.height = header.rows;
    }
    this.#place(header.view.size ?? [header.rows, header.columns]);
    this.context.drawImage(bitmap, 0, 0);
    bitmap.close();
  }

  #place([rows, columns]) {
    const { style } = this.canvas;
    const [width, height] = [`${columns / devicePixelRatio}px`, `${rows / devicePixelRatio}px`];
    if (style.width !== width) style.width = width;
    if (style.height !== height) style.height = height;
  }

  #watch() {
    const watcher = new ResizeObserver(([entry]) => {
      const box = entry.devicePixelContentBoxSize?.[0];
      this.counted = box ? [Math.round(box.blockSize), Math.round(box.inlineSize)] : null;
      clearTimeout(this.settling);
      this.settling = setTimeout(this.resized, SETTLE);
    });
    try {
      watcher.observe(this.stage, { box: "device-pixel-content-box" });
    } catch {
      watcher.observe(this.stage);
    }
  }
}
