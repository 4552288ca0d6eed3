// The viewer page: fetches the study, sets the desk, and joins hands, keys, toolbar and panes.

import { t } from "../i18n.js";
import { listenToNews } from "../news.js";
import { showBand } from "./band.js";
import { Connection } from "./connection.js";
import { explainedStatus } from "./errors.js";
import { FEATURES, LOOKING } from "./features/index.js";
import { commandFor, KEY_MAPS } from "./keys.js";
import { Layout, LAYOUTS } from "./layout.js";
import { LEVELS } from "./overlay.js";
import { presetOfKey } from "./presets.js";
import { Side } from "./side.js";
import { planeWords, projectionWords, slabPart, whole, windowPart } from "./space.js";
import { nextPlane, nextProjection } from "./spacemenu.js";
import { Thumbnails } from "./thumbnails.js";
import { showHelp, Toolbar } from "./toolbar.js";

const page = document.body.dataset;
const build = page.static.split("/").filter(Boolean).at(-1);
const at = (id) => document.getElementById(id);

const remembered = {
  get: (name, usual) => localStorage.getItem(`farview.${name}`) ?? usual,
  set: (name, value) => localStorage.setItem(`farview.${name}`, value),
};

/** A copy of one of the page's icons. */
function icon(name) {
  const found = at("icons").content.querySelector(`[data-icon="${name}"] svg`);
  return found ? found.cloneNode(true) : document.createElement("span");
}

const studyAddress = () => {
  const query = page.organization ? `?organization=${encodeURIComponent(page.organization)}` : "";
  return `/api/studies/${encodeURIComponent(page.study)}/${query}`;
};

async function fetchStudy() {
  const answer = await fetch(studyAddress(), { headers: { Accept: "application/json" }, credentials: "same-origin" });
  if (answer.ok) return answer.json();
  const detail = await answer.json().then(({ detail }) => detail, () => "");
  throw explainedStatus(answer.status, detail);
}

/** The study as the page brought it along, else fetched. */
async function firstStudy() {
  const embedded = at("study-data");
  return embedded ? JSON.parse(embedded.textContent) : fetchStudy();
}

/** What a link to a picture wants to be seen first; null without one. */
const firstView = at("first-view") ? JSON.parse(at("first-view").textContent) : null;

const signedIn = async () => {
  const answer = await fetch(studyAddress(), { method: "HEAD", credentials: "same-origin", redirect: "manual" });
  return answer.status !== 401 && answer.status !== 403 && answer.type !== "opaqueredirect";
};

// --- what the panes share

const waiting = new Set();
const desk = {
  study: { series: [] },
  tool: "window",
  level: LEVELS.includes(remembered.get("texts", "full")) ? remembered.get("texts", "full") : "full",
  icon,
  /** {label, icon, open} of a series without pictures that opens in another way; the feature that knows objects takes its place. */
  documentOf: () => null,
  connection: new Connection(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/viewer/`, { signedIn }),
  /** Paints once per animation frame, however many pictures came. */
  paintSoon(viewport) {
    if (!waiting.size) {
      requestAnimationFrame(() => {
        const now = [...waiting];
        waiting.clear();
        for (const one of now) one.paint();
      });
    }
    waiting.add(viewport);
  },
};
desk.connection.connect();

const layout = new Layout(at("panes"), desk);
const thumbnails = new Thumbnails(at("series"), icon, at("besides"));
let keyMap = remembered.get("keys", "reader") in KEY_MAPS ? remembered.get("keys", "reader") : "reader";

const BONE = "bone";
/** What lies open over the pictures and is closed by Escape. */
const OPEN_NOTES = ".band details[open], .panes details[open]";

// --- commands: what a key, a button or a menu asks for

const COMMANDS = {
  tool: (name) => {
    turners.delete(layout.active);
    toolBefore = null;
    hold(name);
  },
  zoom: (factor) => layout.active.zoomBy(factor),
  fit: () => layout.active.fitWhole(),
  native: () => layout.active.native(),
  rotate: (by) => layout.active.rotate(by),
  flip: (way) => layout.active.flip(way),
  invert: () => layout.active.invert(),
  reset: () => layout.active.reset(),
  cine: () => (layout.active.playing ? layout.active.stop() : layout.active.play()),
  frame: (by) => layout.active.step(by),
  end: (which) => layout.active.step(which === "first" ? -Infinity : Infinity),
  viewport: (by) => layout.next(by),
  series: (by) => {
    const tile = thumbnails.beside(layout.active.source, by);
    if (tile && tile !== layout.active.source) show(layout.active, tile);
  },
  preset: (index) => {
    const preset = presetOfKey(layout.active.opened?.presets, index);
    if (preset) layout.active.preset(preset);
  },
  "choose-preset": (preset) => layout.active.preset(preset),
  space: ({ change, turns }) => inSpace((viewport) => lookAt(viewport, change, turns)),
  "next-plane": () => inSpace((viewport) => lookAt(viewport, nextPlane(viewport.standpoint))),
  "next-projection": () => inSpace((viewport) => lookAt(viewport, nextProjection(viewport.standpoint))),
  slab: (by) => inSpace((viewport) => slabPart(by, viewport.wish) && lookAt(viewport, slabPart(by, viewport.wish))),
  "color-map": (name) => layout.active.change({ color_map: name }),
  layout: (name) => {
    layout.set(name);
    fillEmpty();
  },
  maximise: () => layout.maximise(),
  annotations: () => {
    desk.level = LEVELS[(LEVELS.indexOf(desk.level) + 1) % LEVELS.length];
    remembered.set("texts", desk.level);
    for (const viewport of layout.panes) viewport.overlay.level(desk.level);
    say(`Texts: ${desk.level}`);
  },
  help: () => {
    showHelp(at("help"), keyMap, (name) => {
      keyMap = name;
      remembered.set("keys", name);
    }, toolbar.words);
  },
  cancel: () => {
    const notes = document.querySelectorAll(OPEN_NOTES);
    for (const note of notes) note.open = false;
    if (!toolbar.dismiss() && !notes.length) layout.active.stop();
  },
  "cancel-reset": () => run(document.querySelector(`${OPEN_NOTES}, #toolbar [aria-expanded=true]`) || layout.active.playing ? "cancel" : "reset"),
};

/** With the active pane where its stack makes a volume; else the reason is said. */
function inSpace(act) {
  const viewport = layout.active;
  if (viewport.inSpace) act(viewport);
  else viewport.sayNoVolume();
}

/** Another kind of picture. The whole volume comes with the tool that turns it and a window that shows it; both are given back
 *  after it. */
function lookAt(viewport, change, turns = whole({ ...viewport.wish, ...change })) {
  viewport.stop();
  viewport.change({ ...change, ...wholeWindow(viewport, change, turns) });
  if (turns) turners.add(viewport);
  else turners.delete(viewport);
  suitHand();
}

/** Viewports that are turned by a drag without anyone having chosen that tool, and the tool that was in hand before. */
const turners = new WeakSet();
let toolBefore = null;

/** The tool follows the viewport that is worked on: a drag on a slice beside a volume picture must not turn it. */
function suitHand() {
  const turns = turners.has(layout.active);
  if (turns && toolBefore === null) {
    toolBefore = desk.tool;
    hold("turn");
  } else if (!turns && toolBefore !== null) {
    hold(toolBefore);
    toolBefore = null;
  }
}

function hold(name) {
  desk.tool = name;
  at("panes").dataset.tool = name;
}

/** The window that goes with a change of what is shown. Through a whole body the brightest is bone, whatever the slices need; a
 *  volume picture has none. */
function wholeWindow(viewport, change, turns) {
  const { wish } = viewport;
  if (!turns) return whole(wish) ? (viewport.windowBefore ?? {}) : {};
  if (!whole(wish)) viewport.windowBefore = windowPart(wish);
  const shown = wish.projection === "mip" && whole(wish);
  const bone = viewport.opened.presets.some(({ name, source }) => name === BONE && source === "server");
  return bone && !shown && change.projection === "mip" ? { preset: BONE } : {};
}

function run(command, argument) {
  COMMANDS[command]?.(argument);
  toolbar.refresh();
  tell("command", { command, argument });
}

const toolbar = new Toolbar(at("toolbar"), {
  run,
  icon,
  state: () => ({ viewport: layout.active, layout: layout.name, tool: desk.tool, keyMap }),
});

/** A button that was clicked gives the keys back to the picture: Space is "reset", not "the same button again". */
at("toolbar").addEventListener("click", (event) => {
  const open = at("toolbar").querySelector("[aria-expanded=true]") || document.querySelector("dialog[open]");
  if (event.detail && !open) layout.active.element.focus({ preventScroll: true });
});

document.addEventListener("keydown", (event) => {
  if (document.querySelector("dialog[open]")) return;
  const inMenu = event.target.closest?.("[role=menu]");
  const onButton = event.target.closest?.("button, a, summary") && [" ", "Enter"].includes(event.key);
  const onChoice = event.target.closest?.("input[type=checkbox], input[type=radio]") && /^( |Arrow.*)$/.test(event.key);
  const onSlider = event.target.closest?.("[role=slider]") && ["ArrowLeft", "ArrowRight"].includes(event.key);
  const found = inMenu || onButton || onChoice ? null : commandFor(event, KEY_MAPS[keyMap]);
  if (!found) return;
  event.preventDefault();
  if (onSlider) run("frame", event.key === "ArrowLeft" ? -1 : 1);
  else run(found.command, found.argument);
});

// --- series into panes

function show(viewport, tile, view = {}) {
  viewport.show(tile, view);
  turners.delete(viewport);
  suitHand();
  mark();
  tell("shown", { viewport });
}

/** The same where many are shown at once: each is opened when its turn comes. */
function plan(viewport, tile, view = {}) {
  layout.plan(viewport, tile, view);
  turners.delete(viewport);
  suitHand();
  mark();
  tell("shown", { viewport });
}

function mark() {
  thumbnails.mark(layout.viewports.map(({ source }) => source), layout.active?.source);
}

function fillEmpty() {
  const shown = new Set(layout.viewports.map(({ source }) => source).filter(Boolean));
  const spare = thumbnails.tiles.filter((tile) => tile.stack && !shown.has(tile));
  for (const viewport of layout.viewports) {
    if (!viewport.source && spare.length) plan(viewport, spare.shift());
  }
  mark();
}

thumbnails.addEventListener("choose", ({ detail: tile }) => {
  show(layout.active, tile);
  layout.active.element.focus({ preventScroll: true });
});
layout.addEventListener("drop", ({ detail }) => {
  const tile = thumbnails.find(detail.series, detail.stack);
  if (tile) show(detail.viewport, tile);
});
layout.addEventListener("active", () => {
  suitHand();
  mark();
  toolbar.refresh();
});
layout.addEventListener("cine", () => toolbar.refresh());
layout.addEventListener("back", ({ detail: { viewport } }) => {
  if (!whole(viewport.wish)) turners.delete(viewport);
  suitHand();
  toolbar.refresh();
});
layout.addEventListener("menu", () => toolbar.openMore());
layout.addEventListener("painted", ({ detail: { viewport } }) => {
  toolbar.refresh();
  describe(viewport);
  tell("painted", { viewport });
});
for (const name of ["opened", "state", "cine"]) layout.addEventListener(name, ({ detail: { viewport } }) => tell(name, { viewport }));
for (const name of ["active", "layout"]) layout.addEventListener(name, () => tell(name, { viewport: layout.active }));

// --- words for those who hear the page

let saying = null;
function say(text) {
  clearTimeout(saying);
  saying = setTimeout(() => {
    at("spoken").textContent = text;
  }, 400);
}

function describe(viewport) {
  const { header, source, frames } = viewport;
  const view = header.view;
  const name = [source.series.modality, source.series.description].filter(Boolean).join(" ");
  const place = Number.isInteger(view.frame) ? t("image {n} of {all}", { n: view.frame + 1, all: frames }) : frames > 1 ? t("place {n} of {all}", { n: viewport.frame + 1, all: frames }) : "";
  const label = [name, planeWords(view), projectionWords(view), place, viewport.exact ? t("exact") : t("preview")].filter(Boolean).join(", ");
  viewport.canvas.setAttribute("aria-label", label);
  if (viewport === layout.active && !viewport.playing && viewport.exact) say(label);
}

// --- what features hang themselves into

const listeners = new EventTarget();
const tell = (name, detail = {}) => listeners.dispatchEvent(new CustomEvent(name, { detail }));
const inspected = {};
const side = new Side(at("panel"), { icon, remembered });

const workbench = {
  page,
  desk,
  layout,
  thumbnails,
  toolbar,
  side,
  icon,
  say,
  remembered,
  run,
  show,
  plan,
  tell,
  get study() {
    return desk.study;
  },
  get active() {
    return layout.active;
  },
  get viewports() {
    return layout.viewports;
  },
  get firstView() {
    return firstView;
  },
  get tool() {
    return desk.tool;
  },
  get keyMap() {
    return keyMap;
  },
  set keyMap(name) {
    if (name in KEY_MAPS) keyMap = name;
  },
  /** A command of that name: what keys, buttons and menus ask for. `words(argument)` says what it does, for the help sheet. */
  command(name, act, words = () => name) {
    COMMANDS[name] = act;
    toolbar.words[name] = words;
  },
  /** `heard(detail)` whenever `name` happens: study, painted, opened, state, cine, active, layout, shown, news, command. */
  on(name, heard) {
    listeners.addEventListener(name, ({ detail }) => heard(detail));
  },
  /** What `window.farview.features[name]` shows to integrators and tests. */
  inspect(name, look) {
    inspected[name] = look;
  },
  /** The first view of a study. The feature that knows more than the first series takes its place. */
  hang() {
    const tile = thumbnails.tiles.find(({ stack }) => stack) ?? thumbnails.tiles[0];
    if (tile) show(layout.active, tile);
  },
  tile: (series, stack = null) => thumbnails.find(series, stack),
  /** What series without pictures open as: a Map of Series Instance UID -> {label, icon, open}. Tiles and panes say so. */
  openAs(documents) {
    thumbnails.openAs(documents);
    desk.documentOf = (series) => documents.get(series) ?? null;
    for (const viewport of layout.viewports) viewport.notice.show(viewport.state);
  },
  refetch: () => refetch(),
};

// --- the state of the line, and of the page itself

const LINE_WORDS = {
  reconnecting: t("Connection lost. Reconnecting by itself; the pictures stay as they were."),
  signed_out: page.shared ? t("The link by which you came has ended. Ask whoever sent it to you for a new one.") : t("You are signed out. Sign in again to go on where you were."),
};
const BRIEF = 400;

function lineState() {
  const { state } = desk.connection;
  at("line").hidden = !(state in LINE_WORDS);
  at("line-text").textContent = LINE_WORDS[state] ?? "";
  at("line-sign-in").hidden = state !== "signed_out" || Boolean(page.shared);
}

/** A line that is back at once is not worth a word. */
let lineTimer = null;
function lineSoon() {
  clearTimeout(lineTimer);
  if (desk.connection.state === "reconnecting") lineTimer = setTimeout(lineState, BRIEF);
  else lineState();
}

desk.connection.addEventListener("state", lineSoon);
desk.connection.addEventListener("hello", ({ detail }) => {
  if (detail.build && detail.build !== build) at("newer").hidden = false;
});
at("newer-reload").addEventListener("click", () => location.reload());
at("line-sign-in").addEventListener("click", () => {
  location.assign(`${page.signIn}?next=${encodeURIComponent(location.pathname + location.search)}`);
});

// --- the display

/** An administrator says how many pixels a display for primary diagnosis has; a smaller one is told apart. */
const pixels = screen.width * screen.height * devicePixelRatio ** 2;
at("display-note").hidden = pixels >= Number(page.diagnosticPixels || 0);

// --- begin

function adopt(study) {
  desk.study = study;
  showBand(study);
  tell("study", { study });
  thumbnails.set(study);
  for (const viewport of layout.panes) {
    if (!viewport.source) continue;
    const now = thumbnails.find(viewport.source.series.series_instance_uid, viewport.source.stack?.stack ?? null);
    if (now) viewport.source = now;
  }
  mark();
}

function hang(study) {
  adopt(study);
  workbench.hang(study);
  hangFirstView();
  at("no-series").hidden = thumbnails.tiles.length > 0;
}

/** The View that the page's address asks for, in the active pane; its series and size are the pane's. */
function hangFirstView() {
  const { series, size, ...view } = firstView ?? {};
  const tile = series && thumbnails.find(series, view.stack ?? 0);
  if (tile) show(layout.active, tile, view);
  else if (series) layout.active.remark(t("The link names a picture that is not here"), t("its series is not in this study or holds no images"));
}

/** The study once more, when something came or the line was broken. */
function refetch(tries = 3) {
  fetchStudy().then(adopt, () => tries && setTimeout(refetch, 2000, tries - 1));
}

let refetching = null;
const isThisStudy = (message) => !message.study_instance_uid || message.study_instance_uid === page.study;
const heard = (message) => {
  tell("news", { message });
  if (!/^(study|series)\./.test(message.type ?? "") || !isThisStudy(message)) return;
  clearTimeout(refetching);
  refetching = setTimeout(refetch, 700);
};
if (!page.shared) listenToNews(heard, () => refetch());
layout.addEventListener("changed", () => {
  clearTimeout(refetching);
  refetching = setTimeout(refetch, 700);
});

/** A feature that cannot be hung is told of like any other fault, and takes neither the pictures nor the others with it. */
function hangFeature(install) {
  try {
    install(workbench);
  } catch (problem) {
    reportError(problem);
  }
}

for (const install of page.shared ? LOOKING : FEATURES) hangFeature(install);
for (const module of page.panels.split(" ").filter(Boolean)) {
  import(page.static + module).then(({ install }) => hangFeature(install), (problem) => console.error(module, problem));
}
layout.set("1x1");
run("tool", desk.tool);
side.begin();
firstStudy().then(hang, (problem) => {
  const { title, detail, advice } = problem.title ? problem : explainedStatus(0, String(problem));
  at("problem").hidden = false;
  at("problem-title").textContent = title;
  at("problem-text").textContent = [detail, advice].filter(Boolean).join(" ");
});

/** What an integrator or a test may look at; nothing here changes anything. */
window.farview = Object.freeze({
  get build() {
    return build;
  },
  get connection() {
    return { state: desk.connection.state, attempt: desk.connection.attempt };
  },
  get layout() {
    return { name: layout.name, active: layout.activeIndex, maximised: layout.maximised };
  },
  get layouts() {
    return Object.keys(LAYOUTS);
  },
  get features() {
    return Object.fromEntries(Object.entries(inspected).map(([name, look]) => [name, look()]));
  },
  get viewports() {
    return layout.viewports.map((viewport) =>
      Object.freeze({
        state: viewport.state,
        series: viewport.source?.series.series_instance_uid ?? null,
        stack: viewport.source?.stack?.stack ?? null,
        frames: viewport.frames,
        wish: structuredClone(viewport.wish),
        opened: viewport.opened,
        lastHeader: viewport.header,
        lastPainted: viewport.painted,
        exact: viewport.exact,
        counts: { ...viewport.counts },
        timing: { ...viewport.timing },
        cine: viewport.player.told,
        canvas: viewport.canvas,
      }),
    );
  },
});
