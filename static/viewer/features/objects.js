// Objects of a study that are no pictures: reports, documents, selections, states, segmentations, videos. Listed with what
// cannot be shown and why; each is shown in the way that suits it.

import { t } from "../../i18n.js";
import { make } from "../menu.js";
import { openDialog } from "./objects/dialog.js";
import { canGo, goTo } from "./objects/going.js";
import { drawGraphics } from "./objects/graphics.js";
import { KeyObjects } from "./objects/keyobjects.js";
import { Panel } from "./objects/panel.js";
import { drawReport } from "./objects/report.js";
import { Segments } from "./objects/segments.js";
import { overlayRows, stateRows } from "./objects/states.js";
import { kindOf } from "./objects/words.js";
import { rest, studyDoor } from "./rest.js";
import { remark } from "./remark.js";
import { studyOf } from "./studies.js";

const NAME = "objects";
const UNKNOWN = Object.freeze({ state: "loading", objects: [], problem: "" });
const REPORTS = new Set(["sr", "dose", "ko"]);

/** Hangs this feature into the page. */
export function install(workbench) {
  const feature = new Objects(workbench);
  workbench.command("objects", () => workbench.side.toggle(NAME), () => t("Objects of this study"));
  workbench.side.add({ name: NAME, label: t("Objects"), icon: "files", fill: (element) => feature.panel.fill(element) });
  workbench.inspect(NAME, () => feature.told);
  const group = workbench.toolbar.group("keep", t("Keep and print"));
  workbench.toolbar.menu(group, { label: t("Objects, presentation states"), icon: "files", name: NAME, fill: (menu) => feature.fillMenu(menu) });
}

class Objects {
  constructor(workbench) {
    this.workbench = workbench;
    this.lists = new Map();
    this.reading = null;
    this.filter = new KeyObjects(workbench);
    this.segments = new Segments(workbench, (uid, door) => this.address(uid, door));
    this.panel = new Panel(workbench, this);
    this.filter.addEventListener("changed", () => this.refresh());
    workbench.on("study", () => this.load(workbench.study));
    workbench.on("painted", ({ viewport }) => drawGraphics(viewport));
    workbench.thumbnails.element.addEventListener("click", (event) => this.#instead(event), { capture: true });
    // The list names what the active pane is drawn with.
    for (const name of ["opened", "active", "shown", "painted"]) workbench.on(name, () => this.refreshSoon());
  }

  get told() {
    const { held, filter } = this;
    return { state: held.state, objects: held.objects.map(({ sop_instance_uid, kind }) => ({ sop_instance_uid, kind })), filter: filter.on ? { uid: filter.uid, at: filter.at, of: filter.list.length } : null };
  }

  get states() {
    return stateRows(this.workbench.active);
  }

  get overlays() {
    return overlayRows(this.workbench.active);
  }

  /** The study of what the active pane shows: a prior has objects of its own. */
  get study() {
    return studyOf(this.workbench, this.workbench.active.source);
  }

  /** What is known of the objects of that study. */
  get held() {
    const { study, lists } = this;
    const uid = study.study_instance_uid;
    if (!lists.has(uid) && study !== this.workbench.study) this.load(study); // one's own is asked for when it is there
    return lists.get(uid) ?? UNKNOWN;
  }

  async load(study) {
    const { workbench, lists } = this;
    const held = lists.get(study.study_instance_uid) ?? { state: "loading", objects: [], problem: "", turn: 0 };
    lists.set(study.study_instance_uid, held);
    held.turn += 1;
    const { turn } = held;
    try {
      const { objects } = await rest(studyDoor(study, "objects/"));
      if (turn !== held.turn) return;
      Object.assign(held, { state: "ready", objects, problem: "" });
    } catch (problem) {
      if (turn !== held.turn) return;
      Object.assign(held, { state: held.state === "ready" ? "ready" : "failed", problem: problem.message });
    }
    if (study.study_instance_uid === workbench.study.study_instance_uid) {
      workbench.side.count(NAME, held.objects.length);
      workbench.openAs(this.#documents(held));
    }
    this.refresh();
  }

  /** Series of objects that open from the strip or from their pane, what as, and how: the first of each series. */
  #documents(held) {
    const shown = held.objects.filter(({ kind, reason }) => !reason && (REPORTS.has(kind) || kind === "pdf" || kind === "video"));
    return new Map(shown.reverse().map((object) => [object.series_instance_uid, { ...kindOf(object.kind), open: this.opener(object) }]));
  }

  refresh() {
    this.workbench.side.refresh(NAME);
  }

  /** Only what depends on the active pane is told by its pictures; a list that did not change is left alone. */
  refreshSoon() {
    const { active } = this.workbench;
    const now = JSON.stringify([active.number, active.source?.series.series_instance_uid, active.wish.stack, active.wish.presentation_state, active.wish.overlays, active.wish.segmentations?.length, Boolean(active.header), active.opened?.presentation_states?.length]);
    if (now === this.seen) return;
    this.seen = now;
    this.refresh();
  }

  /** The address of a door of an instance. */
  address(uid, door) {
    const { organization } = this.study;
    return `/api/instances/${encodeURIComponent(uid)}/${door}${organization ? `?organization=${encodeURIComponent(organization)}` : ""}`;
  }

  change(part) {
    this.workbench.active.change({ ...part, ...this.#imageOf(part.presentation_state) });
    this.refreshSoon();
  }

  /** A state that is about other images of the stack is seen on the first of them. */
  #imageOf(state) {
    const { active } = this.workbench;
    const images = this.held.objects.find(({ sop_instance_uid: uid }) => uid === state)?.refers_to ?? [];
    const away = images.length && active.header?.view.sop_instance_uid && !images.includes(active.header.view.sop_instance_uid);
    return away ? { sop_instance_uid: images[0], frame_number: 1, frame: null } : {};
  }

  fillMenu(menu) {
    const { states, overlays, filter, held, workbench } = this;
    menu.item({ label: t("All objects of this study"), detail: held.objects.length ? String(held.objects.length) : "", icon: workbench.icon("files"), run: () => workbench.side.show(NAME) });
    if (filter.on) menu.item({ label: t("Show everything again"), icon: workbench.icon("x"), run: () => filter.stop() });
    if (states.length) menu.heading(t("Presentation state"));
    for (const { part, ...item } of states) menu.item({ ...item, run: () => this.change(part) });
    if (overlays.length) menu.heading(t("Overlays"));
    for (const { part, ...item } of overlays) menu.item({ ...item, run: () => this.change(part) });
  }

  /** A tile of the strip without pictures opens its object; the picture that stands is left where it is. */
  #instead(event) {
    const { tile } = event.target.closest?.("button.tile") ?? {};
    if (!tile || tile.stack) return;
    const own = this.lists.get(this.workbench.study.study_instance_uid)?.objects ?? [];
    const found = own.find((object) => object.series_instance_uid === tile.series.series_instance_uid && !object.reason && this.opener(object));
    if (!found) return;
    event.stopPropagation();
    this.opener(found)();
  }

  // --- each kind in its way

  /** What a click on an object of the list does; null where there is nothing to open. */
  opener(object) {
    const { kind } = object;
    if (REPORTS.has(kind)) return () => this.read(object);
    if (kind === "pdf") return () => this.showPdf(object);
    if (kind === "video") return () => this.showVideo(object);
    if (kind === "gsps" && this.stateOf(object)) return () => this.change({ presentation_state: this.stateOf(object).checked ? null : object.sop_instance_uid });
    return null;
  }

  /** The row of the active pane's states that is this object. */
  stateOf({ sop_instance_uid: uid }) {
    return this.states.find(({ part }) => part.presentation_state === uid) ?? null;
  }

  /** What stands under an object of the list. */
  extras(row, object) {
    const { kind, reason } = object;
    if (reason) return;
    const say = (text) => (make("p", "quiet under", row).textContent = text);
    if (kind === "ko") this.#filterButton(row, object);
    else if (kind === "seg" || kind === "rtstruct") this.segments.draw(row, object, Segments.of(this.held.objects).length);
    else if (kind === "gsps") {
      const state = this.stateOf(object);
      say(state ? (state.checked ? t("On the active viewport now.") : t("Click to see the active viewport as it was kept.")) : t("It is of a series that the active viewport does not show."));
    }
  }

  #filterButton(row, object) {
    const { filter } = this;
    const mine = filter.uid === object.sop_instance_uid;
    const button = make("button", "small under", row, { type: "button", "aria-pressed": String(mine), "data-focus": `filter ${object.sop_instance_uid}` });
    button.textContent = mine ? t("Show everything") : t("Go through these images only");
    button.addEventListener("click", () => (mine ? filter.stop() : this.narrow(object)));
  }

  async narrow(object) {
    try {
      const { references } = await rest(this.address(object.sop_instance_uid, "document/"));
      const title = object.title || kindOf(object.kind).label;
      if (!this.filter.start({ uid: object.sop_instance_uid, title, references })) remark(this.workbench.active, t("Nothing that it selects is in this study."), { trouble: true });
    } catch (problem) {
      remark(this.workbench.active, problem.message, { trouble: true });
    }
  }

  // --- reports

  async read(object) {
    const reading = { object, state: "loading", document: null, problem: "" };
    this.reading = reading;
    this.workbench.side.show(NAME);
    try {
      reading.document = await rest(this.address(object.sop_instance_uid, "document/"));
      reading.state = "ready";
    } catch (problem) {
      Object.assign(reading, { state: "failed", problem: problem.message });
    }
    if (this.reading === reading) this.refresh();
  }

  close() {
    const { object } = this.reading;
    this.reading = null;
    this.refresh();
    document.querySelector(`#panel-${NAME} [data-focus="${CSS.escape(object.sop_instance_uid)}"]`)?.focus();
  }

  draw(element, report, went = () => {}) {
    drawReport(element, report, (reference) => this.#refer(reference, went));
  }

  wide() {
    const { document: report, object } = this.reading;
    const body = openDialog(this.workbench, report.title || object.title);
    body.classList.add("objects", "wide");
    this.draw(body, report, () => body.closest("dialog").close());
  }

  /** What leads from a report to the picture or object that it names. */
  #refer(reference, went) {
    const other = this.held.objects.find(({ sop_instance_uid: uid }) => uid === reference.sop_instance_uid);
    const act = canGo(this.workbench, reference) ? () => goTo(this.workbench, reference) : other && !other.reason ? this.opener(other) : null;
    if (!act) {
      const gone = make("span", "quiet");
      gone.textContent = reference.here ? t("(not a picture)") : t("(not in this study)");
      return gone;
    }
    const button = make("button", "small", null, { type: "button" });
    button.textContent = other ? other.title || kindOf(other.kind).label : reference.frame_number ? t("Show image, frame {n}", { n: reference.frame_number }) : t("Show image");
    button.addEventListener("click", (event) => {
      event.preventDefault(); // it may stand in a summary, which folds on a click
      event.stopPropagation();
      went();
      act();
    });
    return button;
  }

  // --- what the browser shows itself

  #download(address, label, name) {
    const link = make("a", "button", null, { href: address, download: name });
    link.append(this.workbench.icon("download"), label);
    return link;
  }

  showPdf(object) {
    const address = this.address(object.sop_instance_uid, "pdf/");
    const body = openDialog(this.workbench, object.title || kindOf("pdf").label, [this.#download(address, t("Download"), "document.pdf")]);
    if (navigator.pdfViewerEnabled === false) {
      make("p", "quiet", body).textContent = t("This browser shows no PDF in a page. Download it instead.");
      return;
    }
    // The door itself answers with a sandbox: nothing in the document runs or loads.
    make("iframe", "pdf", body, { src: `${address}#navpanes=0`, title: object.title || kindOf("pdf").label });
  }

  showVideo(object) {
    const address = this.address(object.sop_instance_uid, "video/");
    const body = openDialog(this.workbench, object.title || kindOf("video").label, [this.#download(address, t("Download"), "video.mp4")]);
    const video = make("video", "", body, { controls: "", playsinline: "", src: address });
    video.addEventListener("error", () => {
      const note = make("p", "note danger", null, { role: "alert" });
      note.textContent = t("The browser cannot play this video. Download it instead.");
      video.replaceWith(note);
    });
    video.focus();
  }
}
