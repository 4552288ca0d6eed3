// Magnifier: a round glass at the hand that shows the painted pixels larger. It only enlarges what the server has sent, each
// pixel as a square, and says so.

import { t } from "../../i18n.js";

const TIMES = 2;
const WIDTH = 200;
/** CSS pixels above a finger, which would hide what it points at. */
const ABOVE = 140;

class Lens {
  constructor(viewport) {
    this.viewport = viewport;
    this.element = document.createElement("div");
    this.element.className = "lens";
    this.canvas = document.createElement("canvas");
    this.words = document.createElement("span");
    this.element.append(this.canvas, this.words);
    this.element.style.width = `${WIDTH}px`;
    this.element.style.height = `${WIDTH}px`;
    viewport.stage.append(this.element);
    this.context = this.canvas.getContext("2d", { alpha: false });
    this.painted = () => this.#draw();
    viewport.addEventListener("painted", this.painted);
  }

  /** Shows what is under a point of the pane, beside it for a finger. */
  at(point) {
    this.point = point;
    const top = point.touch ? Math.max(0, point.y - ABOVE - WIDTH / 2) : point.y - WIDTH / 2;
    this.element.style.left = `${point.x - WIDTH / 2}px`;
    this.element.style.top = `${top}px`;
    this.#draw();
  }

  #draw() {
    const { canvas, context, viewport, point } = this;
    const picture = viewport.canvas;
    const { clientWidth, clientHeight } = picture;
    if (!point || !clientWidth || !viewport.header) return;
    const side = Math.round(WIDTH * devicePixelRatio);
    if (canvas.width !== side) canvas.width = canvas.height = side;
    const [across, down] = [picture.width / clientWidth, picture.height / clientHeight];
    const [wide, tall] = [(WIDTH / TIMES) * across, (WIDTH / TIMES) * down];
    context.imageSmoothingEnabled = false;
    context.fillRect(0, 0, side, side);
    context.drawImage(picture, point.x * across - wide / 2, point.y * down - tall / 2, wide, tall, 0, 0, side, side);
    this.words.textContent = viewport.exact ? t("enlarged 2×") : t("enlarged 2×, preview");
  }

  close() {
    this.viewport.removeEventListener("painted", this.painted);
    this.element.remove();
  }
}

export const magnifierTool = {
  name: "magnifier",
  get label() {
    return t("Magnifier");
  },
  get hint() {
    return t("Hold to see the painted pixels twice as large");
  },
  icon: "search",
  cursor: "none",
  group: "measuring",
  begin(viewport, start) {
    const lens = new Lens(viewport);
    lens.at(start);
    return { move: (point) => lens.at(point), end: () => lens.close() };
  },
};
