// The strip of series: one tile for each stack, to drag, click or choose with Enter; what cannot be drawn is listed too.

import { t, told } from "../i18n.js";
import { clockTime, imagesIn, isoDate, objectsIn } from "../text.js";
import { apart } from "./ago.js";

/** [{series, stack}] in the order of the strip; a series that is not drawn stands with stack null. */
export function tilesOf(study) {
  return (study.series ?? []).flatMap((series) =>
    series.stacks?.length ? series.stacks.map((stack) => ({ series, stack })) : [{ series, stack: null }],
  );
}

/** The same of another study of the patient: each tile carries the study that it is of. */
export const tilesBeside = (study) => tilesOf(study).map((tile) => ({ ...tile, study }));

/** A prior's row: what it is, how long ago, and why it is worth a look. */
export function priorText(prior, current) {
  const { modalities = [], description = "" } = prior;
  const kind = description.toUpperCase().startsWith(modalities[0] ?? "") && modalities.length < 2 ? "" : modalities.join("/");
  return {
    date: isoDate(prior.date) || t("no date"),
    ago: apart(prior.date, current.date) || clockTime(prior.time).slice(0, 5),
    title: [kind, description].filter(Boolean).join(" ") || t("No description"),
  };
}

/** A tile's words, for eyes and for screen readers. */
export function tileText({ series, stack }) {
  const number = series.number ?? "";
  const several = (series.stacks?.length ?? 0) > 1;
  // What tells a tile from its neighbours comes first: the rest may be cut off.
  const title = [several ? told(stack?.label) || t("stack {n}", { n: stack.stack + 1 }) : "", series.description || series.protocol_name || ""].filter(Boolean).join(" · ");
  const images = stack ? imagesIn(stack.frames) : objectsIn(series.number_of_instances);
  return { number: String(number), modality: series.modality || "?", title: title || t("No description"), images };
}

function make(tag, className, text = "") {
  const element = document.createElement(tag);
  element.className = className;
  if (text) element.textContent = text;
  return element;
}

export class Thumbnails extends EventTarget {
  /** @param element the list of the study's own series @param besides where those of other studies of the patient stand */
  constructor(element, icon, besides = null) {
    super();
    this.element = element;
    this.besides = besides;
    this.icon = icon;
    this.tiles = [];
    this.besideTiles = new Map();
    this.unfolded = new Set();
    this.buttons = new Map();
    this.besideButtons = new Map();
    this.marked = [[], null];
    this.documents = new Map();
  }

  /** What series without pictures open as: Series Instance UID -> {label, icon}. */
  openAs(documents) {
    this.documents = documents;
    for (const button of this.buttons.values()) this.#write(button, button.tile);
  }

  /** Shows the tiles of a study; tiles that stay keep their element, so that nothing moves or flickers. */
  set(study) {
    this.tiles = tilesOf(study);
    this.buttons = this.#list(this.element, this.tiles, this.buttons);
    this.#besides(study);
  }

  #list(element, tiles, before) {
    const buttons = new Map();
    const rows = tiles.map((tile) => {
      const key = this.#key(tile);
      const old = before.get(key);
      const button = old ?? this.#button(tile);
      button.tile = tile;
      this.#write(button, tile);
      buttons.set(key, button);
      if (old) return old.parentElement;
      const row = make("li", "");
      row.append(button);
      return row;
    });
    element.replaceChildren(...rows);
    return buttons;
  }

  // --- other studies of the patient, folded

  #besides(study) {
    if (!this.besides) return;
    const { priors = [], not_priors: refused = [] } = study;
    this.besides.replaceChildren(...priors.map((prior) => this.#group(prior, study)), ...refused.map((other) => this.#refused(other, study)));
    this.besides.hidden = !priors.length && !refused.length;
  }

  #group(prior, study) {
    const { date, ago, title } = priorText(prior, study);
    const uid = prior.study_instance_uid;
    const group = make("section", "beside");
    const fold = make("button", "fold");
    const list = make("ul", "");
    fold.type = "button";
    fold.dataset.study = uid;
    fold.title = told(prior.reason ?? "");
    fold.append(this.icon("chevron-down"), make("span", "date", date), make("span", "ago", ago), make("span", "caption", title));
    const open = this.unfolded.has(uid);
    fold.setAttribute("aria-expanded", String(open));
    list.hidden = !open;
    list.dataset.study = uid;
    fold.addEventListener("click", () => this.fold(uid));
    group.append(fold, list);
    const known = this.besideTiles.get(uid);
    if (known) this.#fill(list, known);
    return group;
  }

  /** A study that says otherwise about the person: said, never offered to be laid beside. */
  #refused(other, study) {
    const { date, title } = priorText(other, study);
    const row = make("p", "refused");
    row.append(make("strong", "", t("Not taken as prior")), make("span", "", `${date} ${title}`), make("span", "why", (other.disagreements ?? []).join("; ")));
    return row;
  }

  #fill(list, tiles) {
    for (const [key, button] of this.#list(list, tiles, new Map())) this.besideButtons.set(key, button);
    this.mark(...this.marked);
  }

  /** Unfolds another study or folds it. Its series are asked for ("beside") when they are not known yet. */
  fold(uid, open = !this.unfolded.has(uid)) {
    if (open) this.unfolded.add(uid);
    else this.unfolded.delete(uid);
    const [fold, list] = this.#groupOf(uid);
    if (!fold) return;
    fold.setAttribute("aria-expanded", String(open));
    list.hidden = !open;
    if (open) list.parentElement.scrollIntoView({ block: "nearest", inline: "start" });
    if (!open || this.besideTiles.has(uid)) return;
    list.replaceChildren(make("li", "quiet", t("Opening…")));
    this.dispatchEvent(new CustomEvent("beside", { detail: uid }));
  }

  #groupOf(uid) {
    const parts = [...(this.besides?.querySelectorAll("[data-study]") ?? [])].filter(({ dataset }) => dataset.study === uid);
    return [parts.find(({ tagName }) => tagName === "BUTTON"), parts.find(({ tagName }) => tagName === "UL")];
  }

  /** The series of another study of the patient are known from now on: they can be found, dropped and shown. */
  addBeside(study) {
    const tiles = tilesBeside(study);
    this.besideTiles.set(study.study_instance_uid, tiles);
    const [, list] = this.#groupOf(study.study_instance_uid);
    if (list) this.#fill(list, tiles);
    return tiles;
  }

  /** Why the series of another study do not come. */
  failBeside(uid, reason) {
    const [, list] = this.#groupOf(uid);
    list?.replaceChildren(make("li", "quiet", reason));
    this.unfolded.delete(uid);
    this.#groupOf(uid)[0]?.setAttribute("aria-expanded", "false");
  }

  // --- one tile

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
    const opens = tile.stack ? null : this.documents.get(tile.series.series_instance_uid);
    const reason = tile.stack || opens ? "" : (told(tile.series.not_drawn) ?? t("not drawn"));
    button.querySelector(".caption").textContent = title;
    button.querySelector(".kind").textContent = [number, modality].filter(Boolean).join(" ");
    button.querySelector(".images").textContent = opens ? t("open") : reason ? t("not shown") : String(tile.stack.frames);
    button.querySelector(".unseen").textContent = reason ? `: ${reason}` : opens ? `: ${opens.label}` : images.replace(/^\S+/, "");
    button.title = [title, `${modality}, ${images}`, opens?.label, reason].filter(Boolean).join("\n");
    button.classList.toggle("undrawn", !tile.stack);
    button.classList.toggle("document", Boolean(opens));
    if (!tile.stack) button.querySelector(".face").replaceChildren(this.icon(opens?.icon ?? "file-x"));
  }

  /** Marks which tiles lie in viewports, and which one is active. */
  mark(shown, active) {
    this.marked = [shown, active];
    for (const button of [...this.buttons.values(), ...this.besideButtons.values()]) {
      const lies = (source) => source && this.#key(source) === this.#key(button.tile);
      button.toggleAttribute("data-shown", shown.some(lies));
      if (lies(active)) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
  }

  /** The tile after or before a source, among those of its study that can be drawn. */
  beside(source, by) {
    const drawn = this.tilesOf(source?.study).filter(({ stack }) => stack);
    const at = drawn.findIndex((tile) => source && this.#key(tile) === this.#key(source));
    return drawn[Math.min(drawn.length - 1, Math.max(0, at < 0 ? 0 : at + by))] ?? null;
  }

  /** Of the study that is open, or of another one of the patient that was unfolded. */
  tilesOf(study) {
    return (study && this.besideTiles.get(study.study_instance_uid)) || this.tiles;
  }

  find(series, stack) {
    const all = [...this.tiles, ...[...this.besideTiles.values()].flat()];
    return all.find((tile) => tile.series.series_instance_uid === series && (tile.stack?.stack ?? null) === stack) ?? null;
  }
}
