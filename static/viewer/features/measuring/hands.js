// The reader's hand on measurements: drawing new ones, taking old ones by their handles, lines and words; by mouse, finger and
// keys. What is drawn is kept once the picture under it is exact.

import { t } from "../../../i18n.js";
import { Draft, keptAll, onPicture } from "./draft.js";
import { asked } from "./entry.js";
import { Live, questionOf } from "./live.js";
import { glassOf, liesIn, measurable, shifted } from "./seen.js";
import { apart, handleMoved, under } from "./shapes.js";
import { newUid } from "./store.js";
import { sentence } from "./values.js";

const REACH = { mouse: { handle: 12, line: 5 }, touch: { handle: 24, line: 14 } };
const IDLE = 700;
const SAYS_TEXT = new Set(["text", "arrow"]);

export class Hands {
  /** @param page what the hand works on: {store, waits, say, icon, items(viewport) as they are drawn, placed(viewport, mark) points on
   *  the pane, redraw(viewport), card(viewport, item), chosen(uid), studyOf(viewport), wanted(kind) and more() of what is carried on} */
  constructor(page) {
    this.page = page;
    this.draft = null;
    this.edit = null;
    this.waiting = [];
    this.moved = new Map();
    this.changed = new Map();
    this.selected = null;
    this.hovered = null;
    this.handle = null;
    this.live = new Live((values, wrong) => this.#measured(values, wrong));
  }

  // --- what is under a point

  #under(viewport, point, only = () => true) {
    const reach = point.touch ? REACH.touch : REACH.mouse;
    const items = this.page.items(viewport).filter(({ mark, solid }) => solid && !mark.draft && only(mark));
    const chosen = (mark) => mark.uid === this.selected;
    const order = [...items.filter(({ mark }) => chosen(mark)), ...items.filter(({ mark }) => !chosen(mark)).reverse()];
    let [found, rank] = [null, 3];
    for (const item of order) {
      const { box } = item;
      const hit = under(point, item.mark.locked ? [] : item.handles, item.lines, reach);
      const words = !hit && box && point.x >= box.x && point.x <= box.x + box.width && point.y >= box.y && point.y <= box.y + box.height;
      const how = hit ? (hit.index === undefined ? 1 : 0) : words ? 2 : 3;
      if (how < rank) [found, rank] = [{ item, part: ["handle", "line", "words"][how], index: hit?.index ?? null }, how];
    }
    return found;
  }

  /** The measurement under a point, or null. */
  at(viewport, point) {
    return this.#under(viewport, point)?.item.mark ?? null;
  }

  /** Takes what lies under a point; null where a tool is to begin instead. With the selecting tool (`all`) everything can be
   *  taken; with one that draws the handles of all, and what is selected; with any other the selected one's handles and words:
   *  a window must not move a line. */
  take(viewport, point, all, draws) {
    if (this.draft) return null;
    const found = this.#under(viewport, point);
    if (!found) return null;
    const { mark } = found.item;
    const own = mark.uid === this.selected;
    const mine = own && (draws || found.part !== "line");
    if (!all && !mine && !(draws && found.part === "handle" && !mark.locked)) return null;
    this.select(mark.uid);
    if (found.part === "words" && mark.kind !== "text") return this.#dragWords(viewport, found.item, point);
    if (mark.locked) return { move() {}, end() {} };
    return this.#dragMark(viewport, found, point);
  }

  /** A click that moved nothing: selects what lies there, else nothing is selected any more. */
  pick(viewport, point) {
    this.select(this.#under(viewport, point)?.item.mark.uid ?? null);
  }

  select(uid) {
    if (uid === this.selected) return;
    this.selected = uid;
    this.handle = null;
    this.page.redraw();
    this.page.chosen(uid);
  }

  /** The pointer is over a pane with nothing held. */
  hover(viewport, point) {
    if (this.draft?.viewport === viewport && !this.draft.pressed && !this.draft.tracing && this.draft.fixed) {
      if (this.draft.here) this.#followed(point);
      return;
    }
    const found = point ? this.#under(viewport, point) : null;
    const uid = found?.item.mark.uid ?? null;
    viewport.element.dataset.over = found ? (found.item.mark.locked && found.part !== "words" ? "" : found.part) : "";
    if (uid === this.hovered) return;
    this.hovered = uid;
    this.page.redraw(viewport);
    this.page.card(viewport, found?.item ?? null);
  }

  // --- drawing

  /** A tool goes down on a pane: the next point of what is drawn, or the first of a new one. */
  begin(kind, viewport, point) {
    if (this.draft && (this.draft.viewport !== viewport || this.draft.kind !== kind)) this.cancel();
    if (this.draft && !this.draft.here) {
      viewport.remark(t("This measurement began on another image"), t("go back to it, or press Escape to begin anew"));
      return { move() {}, end() {} };
    }
    this.draft ??= new Draft(kind, viewport);
    const { draft } = this;
    if (!draft.press(point)) {
      this.draft = null;
      viewport.remark(t("Nothing can be measured here"), t("a picture of the whole volume has no depth, and this image no place of its own; choose a plane"));
      return { move() {}, end() {} };
    }
    this.select(null);
    this.#ask();
    return {
      move: (to) => this.draft === draft && draft.here && this.#followed(to),
      end: () => this.draft === draft && this.#released(draft),
      cancel: () => this.draft === draft && this.cancel(),
    };
  }

  #followed(point) {
    this.draft.move(point);
    this.#ask();
    this.page.redraw(this.draft.viewport);
  }

  #released(draft) {
    const whole = draft.release();
    if (whole) this.#complete(draft);
    else if (draft.tracing) this.cancel();
    this.page.redraw(draft.viewport);
  }

  /** All points are set: words or a length where they belong to it, and then it is kept. */
  async #complete(draft) {
    this.draft = null;
    const mark = draft.mark;
    if (!SAYS_TEXT.has(draft.kind) && questionOf(draft.kind, mark.points) && nothing(this.page.placed(draft.viewport, mark))) {
      this.page.redraw(draft.viewport);
      return;
    }
    const waiting = { uid: newUid(), edit: false, study: this.page.studyOf(draft.viewport), draft: mark, viewport: draft.viewport, values: draft.values, ready: true, more: this.page.wanted(draft.kind) ? this.page.more() : {} };
    this.waiting.push(waiting);
    this.live.forget();
    if (SAYS_TEXT.has(draft.kind) || draft.kind === "calibration") {
      waiting.ready = false;
      const said = await this.#said(draft, mark);
      waiting.ready = true;
      if (said === null) this.waiting = this.waiting.filter((one) => one !== waiting);
      else waiting.more = { ...waiting.more, ...said };
    }
    if (this.waiting.includes(waiting)) this.page.waits.keep(waiting);
    this.settle(draft.viewport);
    this.page.redraw(draft.viewport);
  }

  /** What waited for an exact picture when the page was left waits on, in whatever pane shows it. */
  restore(kept) {
    const known = new Set(this.waiting.map(({ uid }) => uid));
    for (const one of kept.filter(({ uid }) => !known.has(uid))) {
      this.waiting.push({ ...one, viewport: null, ready: true });
      if (one.edit) this.changed.set(one.uid, { points: one.draft.points, values: one.values, wrong: "" });
    }
    this.page.redraw();
  }

  /** Gives up what waits. */
  drop(uid) {
    this.waiting = this.waiting.filter((one) => one.uid !== uid);
    this.changed.delete(uid);
    this.page.waits.drop(uid);
    this.page.redraw();
    this.page.chosen(null);
  }

  async #said({ kind, viewport }, mark) {
    const places = this.page.placed(viewport, mark);
    const at = places.at(-1) ?? { x: 20, y: 20 };
    const { stage } = viewport;
    const { icon } = this.page;
    const text = await asked(stage, { at, icon, number: kind === "calibration", label: kind === "calibration" ? t("This line is") : t("Text") });
    viewport.element.focus({ preventScroll: true });
    if (kind === "calibration") return text === null ? null : { known: text };
    if (text === null || (kind === "text" && !text)) return null;
    return { label: text };
  }

  /** Keeps what waits for an exact picture, where one is on the glass now: end points come from exact frames alone. */
  settle(viewport) {
    if (!viewport.exact) return;
    const { header } = viewport;
    const fit = ({ draft, ready }) => ready && header.view.series === draft.series_instance_uid && liesIn(draft, header);
    const now = this.waiting.filter(fit);
    if (!now.length) return;
    this.waiting = this.waiting.filter((one) => !now.includes(one));
    for (const { draft, values, more, uid, edit, viewport: from } of now) {
      const fields = { points: draft.points, ...onPicture(header) };
      if (!edit) this.select(this.page.store.create(this.page.studyOf(viewport), { kind: draft.kind, label: "", space: draft.space, ...fields, ...more }, values, uid));
      else if (from || this.page.store.get(uid)?.version === draft.version) this.page.store.edit(uid, fields, values);
      else viewport.remark(t("Somebody else changed this measurement"), t("the newest is shown; yours was not kept"));
      this.page.waits.drop(uid);
      this.changed.delete(uid);
    }
    this.page.redraw();
  }

  /** What waits on a pane, as it is drawn meanwhile. */
  unsettled(viewport) {
    const here = (one) => one.viewport === viewport || (!one.viewport && viewport.header?.view.series === one.draft.series_instance_uid);
    return this.waiting.filter((one) => here(one) && !one.edit).map(({ draft, values, ready }, at) => ({ ...draft, uid: `waits-${at}`, values, waiting: ready ? t("waits for the exact picture") : "" }));
  }

  /** Esc: what is being drawn is given up. True where there was something. */
  cancel() {
    const { draft, edit } = this;
    this.draft = null;
    this.edit = null;
    this.live.forget();
    if (edit) {
      this.changed.delete(edit.uid);
      edit.given = true;
    }
    if (draft ?? edit) this.page.redraw((draft ?? edit).viewport);
    return Boolean(draft ?? edit);
  }

  // --- changing

  #dragWords(viewport, { mark, points, box }, start) {
    const from = { x: box.x - points[0].x, y: box.y - points[0].y };
    return {
      move: (to) => {
        this.moved.set(mark.uid, { x: from.x + to.x - start.x, y: from.y + to.y - start.y });
        this.page.redraw(viewport);
      },
      end() {},
    };
  }

  #dragMark(viewport, { item, index }, start) {
    const edit = { uid: item.mark.uid, mark: item.mark, viewport, index, places: item.points, start };
    this.edit = edit;
    return {
      move: (to) => this.edit === edit && this.#changes(edit, to),
      end: () => this.edit === edit && this.#changedAt(edit),
      cancel: () => this.edit === edit && this.cancel(),
    };
  }

  /** The mark as it is with one handle, or all of it, moved by the hand. */
  #changes(edit, to) {
    const { viewport, mark, index, places, start } = edit;
    const { header } = viewport;
    if (!header || !liesIn(mark, header)) return;
    if (apart(to, start) < 1) return;
    const by = { x: to.x - start.x, y: to.y - start.y };
    const points =
      index === null
        ? mark.points.map((point) => shifted(header, mark.space, point, by, glassOf(header)))
        : keptAll(header, handleMoved(mark.kind, places, index, { x: places[index].x + by.x, y: places[index].y + by.y }))?.map(({ point }) => point);
    if (!points) return;
    edit.points = points;
    this.changed.set(edit.uid, { points, values: this.changed.get(edit.uid)?.values ?? mark.values, wrong: "" });
    this.#question(viewport, mark.kind, mark.space, points);
    this.page.redraw(viewport);
  }

  #changedAt({ uid, mark, points, viewport }) {
    this.edit = null;
    this.live.forget();
    if (!points) return;
    const values = this.changed.get(uid)?.values ?? {};
    this.waiting = this.waiting.filter((one) => one.uid !== uid);
    const waiting = { uid, edit: true, study: this.page.studyOf(viewport), draft: { ...mark, points }, viewport, values, ready: true, more: {} };
    this.waiting.push(waiting);
    this.page.waits.keep(waiting);
    this.settle(viewport);
  }

  // --- live numbers

  #ask() {
    const { draft } = this;
    const { mark } = draft;
    this.#question(draft.viewport, draft.kind, mark.space, mark.points);
  }

  #question(viewport, kind, space, points) {
    const { header, channel } = viewport;
    const question = questionOf(kind, points);
    if (!question || !channel || !header) return;
    this.live.ask(channel, header.index, { ...question, points: measurable(header, space, question.points) });
  }

  #measured(values, wrong) {
    if (this.draft) Object.assign(this.draft, { values, wrong });
    else if (this.edit && this.changed.has(this.edit.uid)) this.changed.set(this.edit.uid, { ...this.changed.get(this.edit.uid), values, wrong });
    else return;
    this.page.redraw((this.draft ?? this.edit).viewport);
  }

  // --- by keys

  /** A key that a drawing tool or a selected measurement understands; true when it was used. */
  key(event, viewport, kind) {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    if (event.key === "Escape") return this.#escape();
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const far = event.shiftKey ? 10 : 1;
    if (kind === "select") {
      if (event.key === "Enter") return this.#walk(viewport, event.shiftKey);
      return Boolean(way && this.selected) && this.#nudge(viewport, { x: way[0] * far, y: way[1] * far });
    }
    if (event.key === "Enter") return this.#set(viewport, kind);
    if (!way || this.draft?.viewport !== viewport) return false;
    const { tip } = this.draft;
    this.draft.pressed = null;
    if (this.draft.tracing) this.#traceBy(tip, way, far);
    else if (this.draft.here) this.#followed({ x: tip.x + way[0] * far, y: tip.y + way[1] * far });
    return true;
  }

  #traceBy(tip, way, far) {
    this.draft.pressed = tip;
    this.#followed({ x: tip.x + way[0] * Math.max(2, far), y: tip.y + way[1] * Math.max(2, far) });
  }

  #escape() {
    if (this.cancel()) {
      this.page.say(t("Given up"));
      return true;
    }
    if (!this.selected) return false;
    this.select(null);
    return true;
  }

  /** Enter: the first point in the middle of the pane, then one after the other where the arrows have brought it. */
  #set(viewport, kind) {
    if (this.draft?.viewport === viewport && this.draft.kind === kind) {
      const { draft } = this;
      const whole = draft.tracing ? draft.release() : draft.set();
      if (whole) this.#complete(draft);
      else this.page.say(t("Point {n} set; arrows move the next one", { n: draft.fixed }));
      this.page.redraw(viewport);
      return true;
    }
    const { width, height } = glassOf(viewport.header);
    const held = this.begin(kind, viewport, { x: width / 2, y: height / 2 });
    if (!this.draft) return true;
    if (this.draft.last) held.end();
    else {
      this.draft.pressed = null;
      this.page.say(t("First point set in the middle; arrows move the next one, Enter sets it"));
    }
    this.page.redraw(viewport);
    return true;
  }

  /** Enter with the selecting tool: the next measurement of the picture; with Shift the next handle of it. */
  #walk(viewport, handles) {
    const items = this.page.items(viewport).filter(({ mark, solid }) => solid && !mark.draft);
    if (!items.length) {
      this.page.say(t("No measurement on this picture"));
      return true;
    }
    const now = items.findIndex(({ mark }) => mark.uid === this.selected);
    if (handles && now >= 0) {
      const count = items[now].handles.length;
      this.handle = this.handle === null ? 0 : this.handle + 1 < count ? this.handle + 1 : null;
      this.page.say(this.handle === null ? t("The whole measurement; arrows move it") : t("Point {n} of {count}; arrows move it", { n: this.handle + 1, count }));
    } else {
      const { mark } = items[(now + 1) % items.length];
      this.select(mark.uid);
      this.page.say(sentence(mark) || mark.label);
    }
    this.page.redraw(viewport);
    return true;
  }

  #nudge(viewport, by) {
    const item = this.page.items(viewport).find(({ mark }) => mark.uid === this.selected);
    if (!item || item.mark.locked || !item.solid) return false;
    if (!this.nudged || this.nudged.uid !== this.selected || this.nudged.index !== this.handle) {
      this.nudged = { uid: item.mark.uid, mark: item.mark, viewport, index: this.handle, places: item.points, start: { x: 0, y: 0 }, by: { x: 0, y: 0 } };
    }
    const edit = this.nudged;
    edit.by = { x: edit.by.x + by.x, y: edit.by.y + by.y };
    this.edit = edit;
    this.#changes(edit, edit.by);
    clearTimeout(this.idle);
    this.idle = setTimeout(() => {
      this.nudged = null;
      if (this.edit === edit) this.#changedAt(edit);
    }, IDLE);
    return true;
  }
}

/** A line without a length, a region without an area: a click that meant nothing. */
function nothing(places) {
  return places.length > 1 && places.every((place) => apart(place, places[0]) < 2);
}
