// The strip of series: one tile for each stack, to drag, click or choose with Enter; what cannot be drawn is listed too.

import { count } from "../text.js";

/** [{series, stack}] in the order of the strip; a series that is not drawn stands with stack null. */
export function tilesOf(study) {
  return (study.series ?? []).flatMap((series) =>
    series.stacks?.length ? series.stacks.map((stack) => ({ series, stack })) : [{ series, stack: null }],
  );
}

/** A tile's words, for eyes and for screen readers. */
export function tileText({ series, stack }) {
  const number = series.number ?? "";
  const several = (series.stacks?.length ?? 0) > 1;
  // What tells a tile from its neighbours comes first: the rest may be cut off.
  const title = [several ? stack?.label || `stack ${stack.stack + 1}` : "", series.description || series.protocol_name || ""].filter(Boolean).join(" · ");
  const images = stack ? count(stack.frames, "image") : count(series.number_of_instances, "object");
  return { number: String(number), modality: series.modality || "?", title: title || "No description", images };
}

function make(tag, className, text = "") {
  const element = document.createElement(tag);
  element.className = className;
  if (text) element.textContent = text;
  return element;
}

export class Thumbnails extends EventTarget {
  constructor(element, icon) {
    super();
    this.element = element;
    this.icon = icon;
    this.tiles = [];
    this.buttons = new Map();
  }

  /** Shows the tiles of a study; tiles that stay keep their element, so that nothing moves or flickers. */
  set(study) {
    this.tiles = tilesOf(study);
    const before = this.buttons;
    this.buttons = new Map();
    const rows = this.tiles.map((tile) => {
      const key = this.#key(tile);
      const old = before.get(key);
      const button = old ?? this.#button(tile);
      button.tile = tile;
      this.#write(button, tile);
      this.buttons.set(key, button);
      if (old) return old.parentElement;
      const row = make("li", "");
      row.append(button);
      return row;
    });
    this.element.replaceChildren(...rows);
  }

  #key({ series, stack }) {
    return `${series.series_instance_uid}/${stack?.stack ?? "-"}`;
  }

  #button(tile) {
    const button = make("button", "tile");
    button.type = "button";
    const frame = make("span", "face");
    if (tile.stack?.thumbnail) frame.append(this.#face(tile));
    else frame.append(this.icon("file-x"));
    const detail = make("span", "detail");
    detail.append(make("span", "kind"), " ", make("span", "images"));
    button.append(frame, make("span", "caption"), " ", detail, make("span", "unseen"));
    button.addEventListener("click", () => this.dispatchEvent(new CustomEvent("choose", { detail: button.tile })));
    button.draggable = Boolean(tile.stack);
    button.addEventListener("dragstart", (event) => {
      const { series, stack } = button.tile;
      event.dataTransfer.effectAllowed = "copy";
      event.dataTransfer.setData("application/x-farview-series", JSON.stringify({ series: series.series_instance_uid, stack: stack.stack }));
    });
    return button;
  }

  #face({ stack }) {
    const image = make("img", "");
    image.alt = "";
    image.loading = "lazy";
    image.decoding = "async";
    image.draggable = false;
    image.addEventListener("error", () => image.replaceWith(this.icon("image-off")), { once: true });
    image.src = stack.thumbnail;
    return image;
  }

  /** The name that is heard is the text that is seen, and a little more of it. */
  #write(button, tile) {
    const { number, modality, title, images } = tileText(tile);
    const reason = tile.stack ? "" : (tile.series.not_drawn ?? "not drawn");
    button.querySelector(".caption").textContent = title;
    button.querySelector(".kind").textContent = [number, modality].filter(Boolean).join(" ");
    button.querySelector(".images").textContent = reason ? "not shown" : String(tile.stack.frames);
    button.querySelector(".unseen").textContent = reason ? `: ${reason}` : images.replace(/^\S+/, "");
    button.title = [title, `${modality}, ${images}`, reason].filter(Boolean).join("\n");
    button.classList.toggle("undrawn", !tile.stack);
  }

  /** Marks which tiles lie in viewports, and which one is active. */
  mark(shown, active) {
    for (const button of this.buttons.values()) {
      const lies = (source) => source && this.#key(source) === this.#key(button.tile);
      button.toggleAttribute("data-shown", shown.some(lies));
      if (lies(active)) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
  }

  /** The tile after or before a source, among those that can be drawn. */
  beside(source, by) {
    const drawn = this.tiles.filter(({ stack }) => stack);
    const at = drawn.findIndex((tile) => source && this.#key(tile) === this.#key(source));
    return drawn[Math.min(drawn.length - 1, Math.max(0, at < 0 ? 0 : at + by))] ?? null;
  }

  find(series, stack) {
    return this.tiles.find((tile) => tile.series.series_instance_uid === series && (tile.stack?.stack ?? null) === stack) ?? null;
  }
}
