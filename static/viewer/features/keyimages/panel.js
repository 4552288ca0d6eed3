// The panel of key images: a strip of what was marked, oldest first; click shows it again, deleting can be undone.

import { t } from "../../../i18n.js";
import { make } from "../../menu.js";
import { linkTo, placeWords } from "./views.js";

const when = (iso) => {
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? "" : date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
};

export class Panel {
  constructor(workbench, store, feature) {
    this.workbench = workbench;
    this.store = store;
    this.feature = feature;
    this.taken = null;
    this.problem = "";
    this.writing = null;
  }

  fill(element) {
    const { study } = this.workbench;
    const focused = element.contains(document.activeElement) ? document.activeElement.dataset.focus : null;
    element.replaceChildren();
    element.classList.add("key-images");
    make("h2", "", element).textContent = t("Key images");
    if (this.problem) make("p", "note danger", element, { role: "alert" }).textContent = this.problem;
    if (this.taken) this.#undo(element);
    const others = [...this.store.studies.values()].filter(({ study: { study_instance_uid: uid }, images }) => uid !== study.study_instance_uid && images.length);
    if (study.study_instance_uid) this.#study(element, this.store.of(study), others.length > 0);
    for (const held of others) this.#study(element, held, true);
    if (focused) element.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
  }

  #study(element, held, titled) {
    if (titled) make("h3", "", element).textContent = [held.study.date, held.study.description].filter(Boolean).join(" ") || t("Study");
    if (held.state === "loading") make("p", "quiet", element).textContent = t("Loading…");
    else if (held.state === "failed") this.#failed(element, held);
    else if (!held.images.length) this.#none(element);
    else {
      const list = make("ul", "strip-of-keys", element);
      for (const image of held.images) this.#row(list, held, image);
    }
  }

  #none(element) {
    make("p", "quiet", element).textContent = t("Nothing is marked in this study yet. A key image keeps the picture exactly as you see it: place, window, zoom.");
    const button = make("button", "", element, { type: "button" });
    button.append(this.workbench.icon("star"), t("Mark this picture"));
    button.addEventListener("click", () => this.workbench.run("key-image"));
  }

  #failed(element, held) {
    make("p", "note danger", element, { role: "alert" }).textContent = t("The key images could not be loaded. {why}", { why: held.problem });
    const button = make("button", "", element, { type: "button" });
    button.textContent = t("Try again");
    button.addEventListener("click", () => {
      held.state = "loading";
      this.workbench.side.refresh("key-images");
      this.store.load(held.study);
    });
  }

  #row(list, held, image) {
    const { workbench } = this;
    const row = make("li", "", list);
    const place = placeWords(image.view);
    const open = make("button", "key-face", row, { type: "button", "data-focus": image.uid, title: t("Show it again, exactly as it was marked") });
    const face = make("span", "face", open);
    face.append(this.#picture(image));
    const words = make("span", "words", open);
    make("span", "what", words).textContent = place;
    const series = workbench.thumbnails.tiles.find(({ series: one }) => one.series_instance_uid === image.series_instance_uid)?.series;
    if (series) make("span", "quiet", words).textContent = [series.modality, series.description].filter(Boolean).join(" ");
    make("span", "quiet", words).textContent = [image.author, when(image.created_at)].filter(Boolean).join(", ");
    const writes = this.writing?.uid === image.uid;
    if (image.note && !writes) make("span", "told", words).textContent = image.note;
    open.addEventListener("click", () => this.feature.open(image));
    const actions = make("span", "actions", row);
    this.#action(actions, "square-pen", image.note ? t("Change the note of {place}", { place }) : t("Write a note on {place}", { place }), () => this.#write(image));
    this.#action(actions, "link", t("Copy a link to {place}", { place }), () => this.feature.link.give(linkTo(held.study, { ...image.view, series: image.series_instance_uid }, location.origin)));
    this.#action(actions, "x", t("Delete {place} from the key images", { place }), () => this.#remove(held.study, image));
    if (writes) this.#note(row, held.study, image, place);
  }

  #write({ uid, version, note }) {
    this.writing = { uid, version, text: note };
    this.workbench.side.refresh("key-images");
    document.querySelector(`#panel-key-images [data-focus="${CSS.escape(`note ${uid}`)}"]`)?.focus();
  }

  /** The note, being written; the list may be drawn anew meanwhile. */
  #note(row, study, image, place) {
    const { writing } = this;
    const form = make("form", "note-of-key", row);
    const field = make("textarea", "", form, { rows: "3", maxlength: "1000", "aria-label": t("Note on {place}", { place }), "data-focus": `note ${image.uid}` });
    field.value = writing.text;
    field.addEventListener("input", () => (writing.text = field.value));
    field.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape") this.#written(null);
      else if (event.key === "Enter" && !event.shiftKey) {
        event.preventDefault();
        form.requestSubmit();
      }
    });
    const acts = make("span", "row", form);
    make("button", "small", acts).textContent = t("Keep the note");
    const leave = make("button", "small", acts, { type: "button" });
    leave.textContent = t("Leave it");
    leave.addEventListener("click", () => this.#written(null));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#trying(async () => {
        await this.store.note(study, writing, writing.text.trim());
        this.#written(image.uid);
      });
    });
  }

  #written(uid) {
    const { uid: here } = this.writing ?? {};
    this.writing = null;
    this.workbench.side.refresh("key-images");
    document.querySelector(`#panel-key-images [data-focus="${CSS.escape(uid ?? here ?? "")}"]`)?.focus();
  }

  #picture(image) {
    const picture = make("img", "", null, { alt: "", loading: "lazy", decoding: "async", draggable: "false" });
    picture.addEventListener("error", () => picture.replaceWith(this.workbench.icon("image-off")), { once: true });
    picture.src = image.thumbnail;
    return picture;
  }

  #action(parent, icon, label, act) {
    const button = make("button", "tool", parent, { type: "button", "aria-label": label, title: label });
    button.append(this.workbench.icon(icon));
    button.addEventListener("click", act);
  }

  /** The row is gone at once; what was deleted can be marked again as it was. */
  async #remove(study, image) {
    await this.#trying(async () => {
      await this.store.remove(study, image.uid);
      this.taken = { study, image };
    });
  }

  #undo(element) {
    const line = make("p", "undo", element, { role: "status" });
    make("span", "", line).textContent = t("{place} was deleted.", { place: placeWords(this.taken.image.view) });
    const button = make("button", "", line, { type: "button", "data-focus": "undo" });
    button.textContent = t("Undo");
    button.addEventListener("click", () => {
      const { study, image } = this.taken;
      const { series_instance_uid: series, view, note, measurements } = image;
      this.#trying(async () => {
        await this.store.add(study, { series, view, note, measurements });
        this.taken = null;
      });
    });
  }

  async #trying(act) {
    this.problem = "";
    try {
      await act();
    } catch (problem) {
      this.problem = problem.message;
      const { current } = problem.body ?? {};
      if (problem.status === 409 && current && this.writing) {
        this.problem = t("Somebody else has changed this note meanwhile. It says now: {note}", { note: current.note || t("nothing") });
        this.writing.version = current.version;
      }
    }
    this.workbench.side.refresh("key-images");
  }
}
