// Pages of paper: pictures drawn anew at the size of print, with everything that stands on them, the patient and the study on
// every page. What the screen shows is laid out again pixel for pixel and scaled as a whole, so that lines, letters and the
// scale bar stay where they belong.

import { t } from "../../../i18n.js";
import { age, ageOn, isoDate, personName, sexWord } from "../../../text.js";
import { LAYOUTS } from "../../layout.js";
import { make } from "../../menu.js";
import { Refused } from "../rest.js";
import { studyOf } from "../studies.js";
import { placeWords, resized } from "./views.js";

/** CSS pixels to a mm of paper; a page that fits A4 and Letter with their margins, mm; of it the band on top and the foot. */
const MM = 96 / 25.4;
const LONG = 255;
const SHORT = 186;
const BANDS = 22;
const GAP = 2;
const CAPTION = 5;
const KEYS = [2, 2];
const DPI = 220;
const MOST = 3000;
/** Words on paper are no smaller than this, in CSS pixels. */
const LEAST = 9;

/** Pictures of the frame door, each fetched once while the dialog is open. */
export class Pictures {
  constructor() {
    this.held = new Map();
  }

  get(address) {
    if (!this.held.has(address)) this.held.set(address, this.#fetch(address));
    return this.held.get(address);
  }

  async #fetch(address) {
    const answer = await fetch(address, { credentials: "same-origin" }).catch(() => null);
    if (!answer?.ok) throw new Refused(answer?.status ?? 0, await answer?.json().catch(() => null));
    const url = URL.createObjectURL(await answer.blob());
    const image = new Image();
    image.src = url;
    await image.decode();
    return { url, exact: answer.headers.get("Farview-Exact") === "true", sampling: answer.headers.get("Farview-Sampling") ?? "" };
  }

  forget() {
    for (const one of this.held.values()) one.then(({ url }) => URL.revokeObjectURL(url), () => {});
    this.held.clear();
  }
}

/** {pages, turned}: elements, and "landscape" or "portrait". @param what {kind, texts, drawings, images} */
export async function sheetOf(workbench, what, pictures) {
  const plan = what.kind === "keys" ? keysPlan(what.images) : panesPlan(workbench, what.kind);
  const { rows, columns, cells, turned } = plan;
  const [width, height] = turned === "landscape" ? [LONG, SHORT] : [SHORT, LONG];
  const room = { width: ((width - GAP * (columns - 1)) / columns) * MM, height: ((height - BANDS - GAP * (rows - 1)) / rows - CAPTION) * MM };
  const drawn = await Promise.all(cells.map((cell) => (cell ? cell.draw({ room, what, pictures, workbench }) : make("figure", "cell"))));
  const pages = [];
  for (let at = 0; at < drawn.length; at += rows * columns) pages.push(drawn.slice(at, at + rows * columns));
  const study = plan.study ?? workbench.study;
  return { turned, pages: pages.map((figures, index) => page(study, figures, { columns, number: index + 1, of: pages.length, turned })) };
}

function panesPlan(workbench, kind) {
  const { layout, active, viewports } = workbench;
  const one = kind === "viewport";
  const [rows, columns] = one ? [1, 1] : (LAYOUTS[layout.name] ?? [1, viewports.length]);
  const shown = one ? [active] : viewports;
  const { width, height } = active.box;
  return {
    rows,
    columns,
    turned: width * columns >= height * rows ? "landscape" : "portrait",
    study: one && active.source ? studyOf(workbench, active.source) : null,
    cells: shown.map((viewport) => (viewport.header ? { draw: (material) => paneCell(viewport, material) } : null)),
  };
}

const keysPlan = (images) => ({ rows: KEYS[0], columns: KEYS[1], turned: "landscape", cells: images.map((image) => ({ draw: (material) => keyCell(image, material) })) });

// --- one picture

/** Rows and columns for a picture of `box` CSS pixels that is printed `scale` times as large: never fewer than on the screen. */
function pixels(header, box, scale) {
  const [rows, columns] = header.view.size ?? [header.rows, header.columns];
  const wanted = (box.width * scale * DPI) / 96 / columns;
  const factor = Math.max(1, Math.min(wanted, MOST / Math.max(rows, columns)));
  return [Math.round(rows * factor), Math.round(columns * factor)];
}

function address(series, view, organization) {
  const query = new URLSearchParams({ view: JSON.stringify(view), media_type: "image/png" });
  if (organization) query.set("organization", organization);
  return `/api/series/${encodeURIComponent(series)}/frame?${query}`;
}

async function paneCell(viewport, { room, what, pictures, workbench }) {
  const { header, source, box } = viewport;
  const study = studyOf(workbench, source);
  const scale = Math.min(room.width / box.width, room.height / box.height);
  const view = resized(header, pixels(header, box, scale), viewport.zoom);
  delete view.series;
  const parts = replica(viewport, box, scale, what); // before the picture: it belongs to what stands there now
  const picture = await pictures.get(address(source.series.series_instance_uid, view, study.organization));
  const figure = make("figure", "cell");
  const frame = make("div", "frame", figure);
  frame.style.width = `${box.width * scale}px`;
  frame.style.height = `${box.height * scale}px`;
  frame.append(parts.pane);
  parts.fill(picture);
  const { series } = source;
  const words = [study === workbench.study ? "" : isoDate(study.date), [series.modality, series.description].filter(Boolean).join(" "), placeWords(view)];
  caption(figure, words.filter(Boolean).join(" · "));
  return figure;
}

/** The pane once more, without its hands: picture, drawings, words. */
function replica(viewport, box, scale, what) {
  const pane = make("div", "pane replica", null, { "data-state": "shown" });
  Object.assign(pane.style, { width: `${box.width}px`, height: `${box.height}px`, transform: `scale(${scale})` });
  const stage = make("div", "stage", pane);
  const image = make("img", "", stage, { alt: "" });
  if (what.drawings) stage.append(drawings(viewport, box, scale));
  const overlay = what.texts ? stage.appendChild(words(viewport, scale)) : null;
  const fill = ({ url, exact, sampling }) => {
    image.src = url;
    const stream = overlay?.querySelector(".stream");
    if (!stream) return;
    stream.dataset.state = exact ? "exact" : "preview";
    stream.querySelector(".word").textContent = exact ? t("exact") : t("preview");
    overlay.querySelector(".sampling").textContent = sampling;
  };
  return { pane, fill };
}

function drawings(viewport, box, scale) {
  const copy = viewport.layers.cloneNode(true);
  copy.setAttribute("viewBox", `0 0 ${box.width} ${box.height}`);
  const texts = [...viewport.layers.querySelectorAll("text")];
  [...copy.querySelectorAll("text")].forEach((text, index) => larger(text, texts[index], scale));
  return copy;
}

function words(viewport, scale) {
  const { element } = viewport.overlay;
  const copy = element.cloneNode(true);
  larger(copy, element, scale);
  return copy;
}

function larger(copy, original, scale) {
  const now = Number.parseFloat(getComputedStyle(original).fontSize) || LEAST;
  if (now * scale < LEAST) copy.style.fontSize = `${LEAST / scale}px`;
}

async function keyCell(image, { room, pictures, workbench }) {
  const { url } = await pictures.get(image.picture);
  const scale = Math.min(room.width / image.columns, room.height / image.rows);
  const figure = make("figure", "cell");
  const frame = make("div", "frame", figure);
  frame.style.width = `${image.columns * scale}px`;
  frame.style.height = `${image.rows * scale}px`;
  make("img", "", frame, { alt: "", src: url });
  const series = workbench.thumbnails.tiles.find((tile) => tile.series.series_instance_uid === image.series_instance_uid)?.series;
  const told = [[series?.modality, series?.description].filter(Boolean).join(" "), placeWords(image.view), image.author, isoDate(image.created_at.slice(0, 10)), image.note];
  caption(figure, told.filter(Boolean).join(" · "));
  return figure;
}

function caption(figure, text) {
  make("figcaption", "", figure).textContent = text;
}

// --- the page around them

function page(study, figures, { columns, number, of, turned }) {
  const element = make("section", "paper", null, { "data-turned": turned });
  const [width, height] = turned === "landscape" ? [LONG, SHORT] : [SHORT, LONG];
  Object.assign(element.style, { width: `${width}mm`, height: `${height}mm` });
  const head = make("header", "", element);
  make("strong", "", head).textContent = personName(study.patient?.name);
  make("span", "", head).textContent = patientFacts(study);
  make("span", "", head).textContent = studyFacts(study);
  const grid = make("div", "cells", element);
  grid.style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`;
  grid.append(...figures);
  const foot = make("footer", "", element);
  make("strong", "", foot).textContent = t("Not for diagnosis. The printed size is not true size.");
  make("span", "", foot).textContent = [t("Printed {when} from Farview", { when: new Date().toLocaleString() }), t("Page {n} of {all}", { n: number, all: of })].join(" · ");
  return element;
}

function patientFacts({ patient = {}, patient_age, date }) {
  const years = age(patient_age) || ageOn(patient.birth_date, date);
  const id = patient.patient_id ? t("ID {id}", { id: patient.patient_id }) : t("no patient ID");
  const born = patient.birth_date ? t("born {date}", { date: isoDate(patient.birth_date) }) : "";
  return [id, born, [sexWord(patient.sex), years].filter(Boolean).join(", ")].filter(Boolean).join(" · ");
}

function studyFacts({ description, date, accession_number: accession, institution }) {
  const number = accession ? t("accession {number}", { number: accession }) : "";
  return [isoDate(date), description, number, institution].filter(Boolean).join(" · ");
}
