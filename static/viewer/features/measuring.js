// Measuring in the page: tools, what is drawn over pictures, the list beside them, undo and redo.

import { t } from "../../i18n.js";
import { keysOf, KEY_MAPS } from "../keys.js";
import { addGrab, addTool } from "../tools/index.js";
import { magnifierTool } from "../tools/magnifier.js";
import { showCard } from "./measuring/card.js";
import { draw, laidOut } from "./measuring/draw.js";
import { Hands } from "./measuring/hands.js";
import { sealOf } from "../../sealing.js";
import { Journal } from "./measuring/journal.js";
import { kinds } from "./measuring/kinds.js";
import { Panel } from "./measuring/panel.js";
import { glassOf, liesIn, middleOf, place, viewOf } from "./measuring/seen.js";
import { Store } from "./measuring/store.js";
import { sentence } from "./measuring/values.js";
import { Waits } from "./measuring/waits.js";
import { rest, studyDoor } from "./rest.js";

const OTHERS = "button, a, summary, input, select, textarea, [role=slider], [role=menu], [role=tab], dialog, form";
const FLAT = { projection: "slice", slab_thickness: 0 };

/** Hangs this feature into the page. */
export function install(workbench) {
  const { desk, toolbar, side, say, icon } = workbench;
  const journal = new Journal(localStorage);
  const store = new Store({ journal });
  const waits = new Waits(sessionStorage);
  const drawn = new WeakMap();
  const met = new WeakSet();
  let shown = true;
  let carried = null;

  const studyOf = (viewport) => {
    const { study_instance_uid, organization } = viewport.source?.study ?? desk.study;
    return { study_instance_uid, organization };
  };
  const pictureOf = ({ header, opened }) => ({ header, opened, glass: glassOf(header) });
  const hands = new Hands({
    store,
    waits,
    icon,
    say,
    studyOf,
    redraw,
    items: (viewport) => drawn.get(viewport) ?? [],
    placed: (viewport, mark) => (viewport.header ? (place(mark, pictureOf(viewport))?.points ?? []) : []),
    card: (viewport, item) => showCard(viewport, item, viewport.header ? glassOf(viewport.header) : viewport.box),
    chosen: () => side.refresh("measurements"),
    more: () => {
      const more = carried ? { follows: carried.uid, label: carried.label } : {};
      carried = null;
      return more;
    },
    wanted: (kind) => !carried || carried.kind === kind,
  });

  // --- drawing, from the header of the painted frame alone

  const locked = (mark, { header }) => mark.source === "sr" || mark.series_instance_uid !== header.view.series || !liesIn(mark, header);

  function marksOn(viewport) {
    const marks = store.list().map((mark) => ({ ...mark, ...hands.changed.get(mark.uid), locked: locked(mark, viewport) }));
    const { draft } = hands;
    return [...marks, ...hands.unsettled(viewport), ...(draft?.viewport === viewport && draft.points.length ? [draft.mark] : [])];
  }

  function redraw(only = null) {
    for (const viewport of only ? [only] : workbench.viewports) {
      const items = viewport.header && viewport.state === "shown" && shown ? laidOut(marksOn(viewport), pictureOf(viewport), hands.moved) : [];
      drawn.set(viewport, items);
      draw(viewport.layer("measuring"), items, { selected: hands.selected, hovered: hands.hovered, active: hands.handle });
    }
  }

  function painted(viewport) {
    hands.settle(viewport);
    redraw(viewport);
  }

  // --- panes

  function meet() {
    for (const viewport of workbench.viewports) {
      if (met.has(viewport)) continue;
      met.add(viewport);
      viewport.layer("measuring").setAttribute("aria-hidden", "true");
      const { stage } = viewport;
      const point = (event) => {
        const box = stage.getBoundingClientRect();
        return { x: event.clientX - box.left, y: event.clientY - box.top };
      };
      stage.addEventListener("pointermove", (event) => {
        if (event.pointerType !== "touch" && !event.buttons && viewport.header) hands.hover(viewport, event.target.closest("form, button") ? null : point(event));
      });
      stage.addEventListener("pointerleave", () => hands.draft?.viewport !== viewport && hands.hover(viewport, null));
      stage.addEventListener("pointerdown", () => showCard(viewport, null));
      viewport.addEventListener("pick", ({ detail }) => (workbench.tool === "erase" ? erase(viewport, detail) : hands.pick(viewport, detail)));
    }
  }
  workbench.on("layout", () => {
    meet();
    redraw();
  });
  workbench.on("painted", ({ viewport }) => painted(viewport));
  workbench.on("state", ({ viewport }) => viewport.state !== "shown" && drawn.set(viewport, []));
  workbench.on("shown", ({ viewport }) => {
    if (hands.draft?.viewport === viewport) hands.cancel();
    showCard(viewport, null);
    if (viewport.source?.study) store.follow(studyOf(viewport));
  });

  // --- tools

  for (const kind of kinds()) {
    addTool({ ...kind, cursor: "crosshair", group: "measuring", draws: true, begin: (viewport, point) => hands.begin(kind.name, viewport, point) });
  }
  const idle = { move() {}, end() {} };
  addTool({
    name: "select",
    label: t("Select"),
    hint: t("Click a measurement, drag it or its points"),
    icon: "mouse-pointer-2",
    cursor: "default",
    group: "measuring",
    begin: () => idle,
  });
  addTool({
    name: "erase",
    label: t("Erase"),
    hint: t("Click a measurement to delete it"),
    icon: "eraser",
    cursor: "default",
    group: "measuring",
    begin: () => idle,
  });
  addTool(magnifierTool);
  addGrab((viewport, point, tool) => (tool.name === "erase" || !viewport.header ? null : hands.take(viewport, point, tool.name === "select", Boolean(tool.draws))));

  const menu = toolbar.menu(toolbar.group("measuring", t("Measuring")), { label: t("Measure"), icon: "ruler", name: "measure", fill });
  function fill(list) {
    const keys = (command, argument) => keysOf(command, argument, KEY_MAPS[workbench.keyMap]).at(0) ?? "";
    const tool = ({ name, label, icon: sign }) => list.item({ label, icon: icon(sign), key: keys("tool", name), checked: workbench.tool === name, run: () => workbench.run("tool", name) });
    const act = (label, sign, command) => list.item({ label, icon: icon(sign), key: keys(command), run: () => workbench.run(command) });
    list.heading(t("Measure and mark"));
    kinds().forEach(tool);
    list.heading(t("Change"));
    tool({ name: "select", label: t("Select"), icon: "mouse-pointer-2" });
    tool({ name: "erase", label: t("Erase"), icon: "eraser" });
    act(t("Undo"), "undo-2", "undo");
    act(t("Redo"), "redo-2", "redo");
    list.heading(t("Look"));
    tool({ name: "magnifier", label: t("Magnifier"), icon: "search" });
    list.item({ label: shown ? t("Hide measurements on pictures") : t("Show measurements on pictures"), icon: icon(shown ? "eye-off" : "eye"), run: () => workbench.run("show-measurements") });
    list.item({ label: t("List of measurements"), icon: icon("list"), run: () => side.toggle("measurements") });
  }
  /** The button shows what is in hand. */
  function held() {
    const mine = [...kinds(), { name: "select", icon: "mouse-pointer-2" }, { name: "erase", icon: "eraser" }, { name: "magnifier", icon: "search" }].find(({ name }) => name === workbench.tool);
    menu.button.replaceChildren(icon(mine?.icon ?? "ruler"));
    menu.button.setAttribute("aria-pressed", String(Boolean(mine)));
  }

  // --- commands

  function remove(uid) {
    const mark = store.get(uid);
    if (!mark) return;
    if (mark.source === "sr") {
      workbench.active.remark(t("It was read from a report"), t("what another program wrote cannot be changed here"));
      return;
    }
    store.remove(uid);
    hands.select(null);
    say(t("Deleted. Undo brings it back."));
  }

  function erase(viewport, point) {
    const mark = hands.at(viewport, point);
    if (mark) remove(mark.uid);
  }

  function step(way) {
    if (hands.cancel()) return;
    const done = way === "undo" ? store.undo() : store.redo();
    if (!done) say(way === "undo" ? t("Nothing to undo") : t("Nothing to redo"));
    else if (done.refused) workbench.active.remark(t("This cannot be undone"), t("somebody else has changed the measurement since; the newest is shown"));
    else {
      hands.select(done.deleted ? null : done.uid);
      say(way === "undo" ? t("Undone") : t("Redone"));
    }
  }

  workbench.command("delete", () => (hands.cancel() ? undefined : hands.selected && remove(hands.selected)), () => t("Delete the selected measurement"));
  workbench.command("undo", () => step("undo"), () => t("Undo"));
  workbench.command("redo", () => step("redo"), () => t("Redo"));
  workbench.command(
    "show-measurements",
    () => {
      shown = !shown;
      say(shown ? t("Measurements shown") : t("Measurements hidden"));
      redraw();
    },
    () => t("Show or hide measurements on pictures"),
  );
  workbench.on("command", ({ command }) => {
    if (command !== "tool") return;
    if (hands.draft && hands.draft.kind !== workbench.tool) hands.cancel();
    held();
  });
  document.addEventListener(
    "keydown",
    (event) => {
      const viewport = workbench.active;
      if (document.querySelector("dialog[open]") || event.target.closest?.(OTHERS) || viewport?.state !== "shown") return;
      const draws = kinds().some(({ name }) => name === workbench.tool) || workbench.tool === "select";
      if (!draws && event.key !== "Escape") return;
      if (!hands.key(event, viewport, workbench.tool)) return;
      event.preventDefault();
      event.stopPropagation();
    },
    { capture: true },
  );

  // --- the list

  const panel = new Panel({
    store,
    icon,
    study: () => desk.study,
    selected: () => hands.selected,
    carrying: () => carried,
    unsettled: () => hands.waiting,
    giveUp: (uid) => hands.drop(uid),
    fold: () => side.fold(),
    go,
    remove,
    retry: (uid) => store.retry(uid),
    discard: (uid) => store.discard(uid),
    rename: (uid, label) => store.edit(uid, { label }),
    carryOn(mark) {
      carried = mark;
      workbench.run("tool", mark.kind);
      say(t("Draw it again on this study"));
      side.refresh("measurements");
    },
  });
  side.add({ name: "measurements", label: t("Measurements"), icon: "ruler", fill: (element) => panel.fill(element) });

  /** Shows the picture that a measurement lies on, in the active viewport. */
  async function go(mark) {
    const viewport = workbench.active;
    const tile = await tileOf(mark);
    if (!tile) {
      viewport.remark(t("The images of this measurement are not here"));
      return;
    }
    const { source } = viewport;
    const same = source?.series.series_instance_uid === mark.series_instance_uid && (source.stack?.stack ?? 0) === (tile.stack?.stack ?? 0);
    const view = viewOf(mark);
    if (same && viewport.opened) {
      viewport.stop();
      const now = viewport.wish;
      const turned = JSON.stringify(now.plane ?? "acquired") === JSON.stringify(view.plane) ? {} : { zoom: 1, pan: [0, 0] };
      viewport.change({ ...(view.plane === "acquired" ? { center: null } : {}), ...FLAT, ...turned, ...view });
    } else workbench.show(viewport, tile, view);
    viewport.element.focus({ preventScroll: true });
    hands.select(mark.uid);
    say([mark.label, sentence(mark)].filter(Boolean).join(", "));
  }

  /** {series, stack} of what a measurement was drawn on: by its series, else by what lies nearest in the same frame of reference. */
  async function tileOf(mark) {
    const found = workbench.tile(mark.series_instance_uid, mark.stack ?? 0);
    if (found) return found;
    const near = workbench.viewports.map(({ source }) => source).find((source) => source?.series.series_instance_uid === mark.series_instance_uid);
    if (near) return near;
    if (!mark.study_instance_uid || mark.study_instance_uid === desk.study.study_instance_uid) return nearest(mark);
    const study = await rest(studyDoor({ study_instance_uid: mark.study_instance_uid, organization: desk.study.organization })).catch(() => null);
    const series = study?.series.find((one) => one.series_instance_uid === mark.series_instance_uid);
    return series ? { series, stack: series.stacks?.[mark.stack ?? 0] ?? null, study } : null;
  }

  const nearest = (mark) =>
    workbench.viewports.find(({ opened }) => middleOf(mark) && opened?.stacks?.some((stack) => stack.frame_of_reference_uid && stack.frame_of_reference_uid === mark.frame_of_reference_uid))?.source ?? null;

  // --- what happens

  store.addEventListener("changed", ({ detail }) => {
    const { saved, overtaken, problem, state, uid } = detail;
    if (saved) say(t("Saved: {what}", { what: [saved.label, sentence(saved)].filter(Boolean).join(", ") }));
    if (overtaken) workbench.active?.remark(t("Somebody else changed this measurement"), t("the newest is shown; yours was not kept"));
    if (problem && state === "failed") {
      workbench.active?.remark(t("The measurement is not saved"), problem);
      side.show("measurements");
    }
    if (uid && uid === hands.selected && !store.get(uid)) hands.selected = null;
    side.count("measurements", store.list(desk.study.study_instance_uid).length);
    side.refresh("measurements");
    redraw();
  });
  workbench.on("study", () => waitOn());
  workbench.on("study", ({ study }) => store.follow({ study_instance_uid: study.study_instance_uid, organization: study.organization }, true));
  workbench.on("news", ({ message }) => message.type === "measurements.changed" && store.fetch(message.study_instance_uid));
  window.addEventListener("online", () => store.list().forEach(({ uid, state }) => state === "waiting" && store.retry(uid)));
  rest("/api/me/").then(async ({ name, full_name, journal_key }) => {
    journal.seal = await sealOf(journal_key);
    store.knows({ name, shown: full_name || name });
    waits.reader = name;
    waitOn();
  }, () => {});

  /** Goes on with what waited for an exact picture when the page was left. */
  function waitOn() {
    if (!waits.reader || !desk.study.study_instance_uid) return;
    hands.restore(waits.of(desk.study.study_instance_uid));
    for (const viewport of workbench.viewports) hands.settle(viewport);
    side.refresh("measurements");
  }

  workbench.inspect("measuring", () => ({
    marks: store.list().map(({ study, ...mark }) => ({ ...mark, study: study?.study_instance_uid })),
    selected: hands.selected,
    draft: hands.draft?.mark ?? null,
    waiting: hands.waiting.length,
    drawn: workbench.viewports.map((viewport) => (drawn.get(viewport) ?? []).map(({ mark, points, solid, words, box, handles }) => ({ uid: mark.uid, kind: mark.kind, locked: Boolean(mark.locked), points, solid, words, box, handles }))),
  }));
}
