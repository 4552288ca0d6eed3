// What stands on the picture: corner texts, orientation letters, scale bar and marks. All from the header of the frame that
// is painted, so that words and pixels cannot disagree.

import { t, told } from "../i18n.js";
import { age, ageOn, clockTime, isoDate, personName, sexWord, short } from "../text.js";
import { apart, standing } from "./ago.js";
import { fitScale, millimetresPerPixel, scaleBar, scaleOf, sides, sidesStored, turnOf, zoomNumber } from "./geometry.js";
import { isTrueSize } from "./screen.js";
import { planeWords, projectionWords, reformatted, whole } from "./space.js";

const SVG = "http://www.w3.org/2000/svg";
export const LEVELS = ["full", "minimal", "none"];

const VOLUMES = new Set(["CT", "MR", "PT", "NM"]);

const line = (text, rank = 1) => ({ text: text || "", rank });
const joined = (parts, between = " ") => parts.filter((part) => part !== "" && part !== null && part !== undefined).join(between);
const unit = (label, value, after = "") => (value === "" || value === null || value === undefined ? "" : `${label} ${value}${after}`);
const millimetres = (value) => (Number.isFinite(Number(value)) && value !== null && value !== "" ? `${short(value)} mm` : "");

function topLeft({ study, labels }) {
  const patient = study.patient ?? {};
  const years = age(labels.patient_age ?? study.patient_age) || ageOn(patient.birth_date, study.date);
  return [
    line(personName(patient.name), 0),
    line(unit(t("born"), isoDate(patient.birth_date)), 1),
    line(unit("ID", patient.patient_id), 1),
    line(joined([sexWord(patient.sex), years], ", "), 2),
  ];
}

function topRight({ study, labels }) {
  const date = labels.acquisition_date || labels.content_date || study.date;
  const time = labels.acquisition_time || labels.content_time || study.time;
  return [
    line(labels.institution ?? study.institution, 2),
    line(study.description, 1),
    line(unit(t("Study"), study.study_id), 3),
    line(unit(t("Acc"), study.accession_number), 2),
    line(joined([isoDate(date), clockTime(time)], "  "), 0),
  ];
}

/** "U", unpaired, says nothing to a reader. */
const sided = (laterality) => (laterality === "U" ? "" : laterality);

/** Why several images make no volume, where one is expected: not of a clip, and not of a radiograph or an ultrasound. */
function noVolume({ header, series, stack, opened }) {
  const expected = VOLUMES.has(series.modality) && !stack?.frame_times_ms && (header?.frames ?? stack?.frames ?? 1) > 1;
  const reason = opened?.geometry ? "" : (opened?.geometry_reason ?? "");
  return expected && reason ? t("no volume: {reason}", { reason: told(reason) }) : "";
}

/** Thickness, spacing and location of an image are not those of a plane laid through them: that has a place along its normal. */
function placeInPatient({ header, labels }) {
  if (header && reformatted(header.view)) return [line("", 2), line("", 3), line(unit(t("Loc"), along(header)), 1)];
  return [
    line(unit(t("T"), millimetres(labels.slice_thickness)), 2),
    line(unit(t("Gap"), millimetres(labels.spacing_between_slices)), 3),
    line(unit(t("Loc"), millimetres(labels.slice_location)), 1),
  ];
}

/** "H 205 mm": how far a plane at right angles to the patient lies towards the head; "" for others. */
function along({ view, depth }) {
  const axis = depth && !whole(view) ? depth.direction.findIndex((value) => Math.abs(value) > 1 - 1e-6) : -1;
  if (axis < 0) return "";
  const place = depth.position * Math.sign(depth.direction[axis]);
  return `${["LR", "PA", "HF"][axis][place < 0 ? 1 : 0]} ${Math.abs(place).toFixed(1)} mm`;
}

function bottomRight(material) {
  const { series, stack, labels } = material;
  const times = [unit("TE", labels.echo_time, " ms"), unit("TR", labels.repetition_time, " ms"), unit("b", labels.b_value), unit(t("time"), labels.temporal_position)];
  return [
    line(joined([sided(labels.laterality ?? series.laterality), labels.view_position, series.body_part_examined]), 3),
    line(labels.contrast_agent ? t("contrast {agent}", { agent: labels.contrast_agent }) : "", 3),
    line(joined(times, "  "), 2),
    line(stack?.label && series.stacks?.length > 1 ? told(stack.label) : "", 2),
    line(noVolume(material), 2),
    ...placeInPatient(material),
    line(joined([unit(t("Se"), series.number ?? ""), series.modality, series.description]), 0),
  ];
}

function bottomLeft({ header, opened, stack, fit }) {
  const view = header.view;
  const frames = header.frames ?? stack?.frames ?? opened?.frames;
  const zoom = zoomNumber(view.zoom ?? 1, fit);
  // A presentation state may show a part of the image, so that "fit" is another scale.
  const scale = header.graphics && header.placement ? scaleOf(header) : zoom * fit;
  const percent = scale > 0 ? `${Math.round(scale * 100)} %` : `${short(zoom, 3)}×`;
  return [
    line(projectionWords(view), 1),
    line(joined([/^gr[ae]y$/i.test(view.color_map ?? "grey") ? "" : view.color_map, turned(view)], "  "), 2),
    line(`${t("Zoom")} ${percent}${isTrueSize(header) ? ` (${t("true size")})` : zoom === 1 ? ` (${t("fit")})` : ""}`, 2),
    line(fusionText(view, opened), 1),
    line(windowText(view, opened), 0),
    line(placeWords(header, frames), 0),
  ];
}

/** "Im 3/120" of a stack, "Coronal 3/512" of the volume. */
function placeWords({ view, depth }, frames) {
  if (!reformatted(view)) return Number.isInteger(view.frame) ? t("Im {n}/{all}", { n: view.frame + 1, all: frames ?? "?" }) : "";
  const place = depth && !whole(view) ? `${depth.index + 1}/${depth.count}` : "";
  return joined([whole(view) && typeof view.plane === "object" ? "" : planeWords(view), place]);
}

/** Picture pixels to one voxel at zoom 1. */
function fitOf({ header, stack, opened }, size) {
  const { view, geometry } = header;
  if (!reformatted(view)) return stack?.rows ? fitScale(size, stack.rows, stack.columns, view.rotation ?? 0) : 0;
  const voxel = Math.min(...(opened?.geometry?.spacing ?? []));
  if (!geometry || !Number.isFinite(voxel)) return 0;
  const scale = (voxel * size[1]) / (geometry.pixel_spacing[1] * header.columns);
  return view.zoom === "native" ? scale : scale / zoomNumber(view.zoom ?? 1, 0);
}

function turned(view) {
  return joined([
    view.rotation ? t("turned {n}°", { n: view.rotation }) : "",
    view.flip_horizontal ? t("flipped ↔") : "",
    view.flip_vertical ? t("flipped ↕") : "",
    view.inverted ? t("inverted") : "",
  ], ", ");
}

/** In SUV where the series says how (`factor` times the stored unit), else in its own unit. */
function windowText(view, opened) {
  const known = Number.isFinite(view.window_center) && Number.isFinite(view.window_width);
  if (!known) return view.preset ? String(view.preset) : "";
  const suv = opened?.suv?.factor > 0 ? opened.suv.factor : null;
  const measure = suv ? " SUVbw" : opened?.unit && opened.unit !== "US" ? ` ${opened.unit}` : "";
  const shape = view.voi_lut_function === "SIGMOID" ? " sigmoid" : "";
  const plain = (value) => short(value * (suv ?? 1), suv ? 3 : 5);
  return `${t("W {width} C {center}", { width: plain(view.window_width), center: plain(view.window_center) })}${measure}${shape}`;
}

/** "PT 50 %, hot iron, 0 to 7.5 SUVbw" of what lies over the picture; `opened.fused` says what its numbers mean. */
function fusionText({ fusion }, opened) {
  if (!fusion) return "";
  const { label = t("Overlay"), factor = 1, unit: measure = "" } = opened?.fused ?? {};
  const { window_center: center, window_width: width } = fusion;
  const limits = Number.isFinite(center) && Number.isFinite(width) ? [center - width / 2, center + width / 2].map((one) => short(one * factor, 3)) : null;
  const parts = [Number.isFinite(fusion.opacity) ? `${Math.round(fusion.opacity * 100)} %` : "", limits ? joined([t("{lower} to {upper}", { lower: limits[0], upper: limits[1] }), measure]) : "", fusion.color_map?.replaceAll("_", " ")];
  return `${label} ${joined(parts, ", ")}`;
}

/** The texts of the four corners: pure, so that a test can read them. */
export function cornerTexts(material) {
  const labels = material.header?.labels ?? {};
  const whole = { ...material, labels };
  return {
    "top-left": topLeft(whole),
    "top-right": topRight(whole),
    "bottom-right": bottomRight(whole),
    "bottom-left": material.header ? bottomLeft(whole) : [],
  };
}

/** The mark of a source that lost something before it came to us; null when it did not. */
export function sourceMark(lossy) {
  if (!lossy) return null;
  const first = (value) => (Array.isArray(value) ? value.at(-1) : value);
  const ratio = first(lossy.ratio);
  const method = { ISO_10918_1: "JPEG", ISO_14495_1: "JPEG-LS", ISO_15444_1: "JPEG 2000", ISO_13818_2: "MPEG-2", ISO_14496_10: "H.264", ISO_23008_2: "HEVC" };
  const name = first(lossy.method);
  return joined([t("SOURCE lossy"), Number(ratio) > 0 ? `${short(ratio, 3)}:1` : "", method[name] ?? name ?? ""]);
}

/** The side of a mammogram where no breast lies: across from the chest wall, which is behind. "" where that is at neither side. */
export function freeSide(around) {
  if (around?.left.startsWith("P")) return "right";
  return around?.right.startsWith("P") ? "left" : "";
}

/** What a picture of another study is marked with: {kind, text, ago}; kind "current", without text, for the study of the page. */
export function studyMark(study, current) {
  const kind = standing(study, current);
  const words = { prior: t("PRIOR"), later: t("LATER"), other: t("OTHER STUDY") };
  if (!(kind in words)) return { kind, text: "", ago: "" };
  return { kind, text: `${words[kind]} ${isoDate(study.date) || t("no date")}`, ago: apart(study.date, current.date) };
}

function make(tag, className, parent) {
  const element = document.createElement(tag);
  element.className = className;
  parent?.append(element);
  return element;
}

function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export class Overlay {
  constructor(pane) {
    this.element = make("div", "overlay", pane);
    this.corners = {};
    this.whose = make("div", "whose", this.element);
    const sky = make("div", "sky", this.element);
    const base = make("div", "base", this.element);
    const ground = make("div", "ground", base); // words and marks stand on one another, however many lines each takes
    const homes = { "top-left": sky, "top-right": sky, "bottom-left": ground, "bottom-right": base };
    for (const [name, home] of Object.entries(homes)) this.corners[name] = make("div", `corner ${name}`, home);
    this.letters = {};
    for (const side of ["left", "right", "top", "bottom"]) this.letters[side] = make("div", `letter ${side}`, this.element);
    this.marks = make("div", "marks", ground);
    this.stream = make("span", "mark stream", this.marks);
    this.shape = make("i", "shape", this.stream);
    this.state = make("span", "word", this.stream);
    this.sampling = make("span", "mark sampling", this.marks);
    this.source = make("span", "mark source", this.marks);
    this.cine = make("span", "mark cine", this.marks);
    this.#ruler();
  }

  #ruler() {
    this.ruler = make("div", "ruler", this.element);
    this.rulerText = make("span", "", this.ruler);
    this.rulerArt = document.createElementNS(SVG, "svg");
    this.rulerArt.setAttribute("height", "9");
    this.halo = document.createElementNS(SVG, "path");
    this.halo.setAttribute("class", "halo");
    this.stroke = document.createElementNS(SVG, "path");
    this.stroke.setAttribute("class", "stroke");
    this.rulerArt.append(this.halo, this.stroke);
    this.ruler.append(this.rulerArt);
  }

  level(name) {
    this.element.dataset.level = name;
  }

  clear() {
    this.element.dataset.filled = "no";
  }

  /** Draws the words for a painted frame. @param ratio device pixels per CSS pixel */
  update({ header, study, current = study, series, stack, opened, ratio }) {
    const size = header.view.size ?? [header.rows, header.columns];
    const fit = fitOf({ header, stack, opened }, size);
    const texts = cornerTexts({ header, study, series, stack, opened, fit });
    for (const [name, lines] of Object.entries(texts)) this.#fill(this.corners[name], lines);
    const around = sides(header.geometry) ?? sidesStored(header.labels?.patient_orientation, header.placement ? turnOf(header.placement) : header.view);
    for (const [side, element] of Object.entries(this.letters)) put(element, around?.[side] ?? "");
    this.#keepFree(series.modality === "MG" ? freeSide(around) : "");
    this.#scale(header, size, ratio);
    put(this.source, sourceMark(header.source_lossy) ?? "");
    put(this.sampling, told(header.sampling ?? ""));
    const { kind, text, ago } = studyMark(study, current);
    put(this.whose, text);
    this.whose.dataset.ago = ago;
    this.element.dataset.study = kind;
    this.element.dataset.filled = "yes";
  }

  #keepFree(side) {
    if (side) this.element.dataset.free = side;
    else delete this.element.dataset.free;
  }

  #fill(corner, lines) {
    lines.forEach(({ text, rank }, index) => {
      const row = corner.children[index] ?? make("div", "", corner);
      row.className = `rank${rank}`;
      put(row, text);
    });
  }

  #scale(header, size, ratio) {
    const bar = scaleBar(millimetresPerPixel(header) * ratio, Math.min(200, (size[1] / ratio) * 0.28));
    this.ruler.hidden = !bar;
    if (!bar) return;
    const source = header.pixel_spacing_source;
    put(this.rulerText, source && !/^pixel spacing( and image position.*)?$/i.test(source) ? `${bar.label}, ${told(source)}` : bar.label);
    const width = Math.round(bar.pixels);
    this.rulerArt.setAttribute("width", String(width + 2));
    let path = `M1 8.5H${width + 1}`;
    for (let tick = 0; tick <= bar.ticks; tick += 1) {
      const x = 1 + (tick * width) / bar.ticks;
      path += `M${x.toFixed(2)} 8.5V${tick === 0 || tick === bar.ticks ? 1 : 5}`;
    }
    this.halo.setAttribute("d", path);
    this.stroke.setAttribute("d", path);
  }

  /** The STREAM badge: "exact" only for a lossless picture that answers the newest change. */
  badge(exact, waiting = "") {
    this.stream.dataset.state = exact ? "exact" : "preview";
    put(this.state, exact ? t("exact") : `${t("preview")}${waiting}`);
  }

  playing(text) {
    put(this.cine, text);
  }
}
