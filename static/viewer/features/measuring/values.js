// Numbers of measurements as people read them: few digits, always a unit, never millimetres without a source.

import { t, told } from "../../../i18n.js";

/** Digits after the point, by unit. */
const DIGITS = { mm: 1, "mm²": 1, "mm³": 1, cm: 2, "cm²": 2, px: 1, "px²": 0, "°": 1, pixels: 0, samples: 0, HU: 0, "%": 0 };

/** DICOM's names of units (PS3.3 C.8.9.1.1.3) as people write them. */
const UNITS = { BQML: "Bq/ml", GML: "g/ml", CNTS: "counts" };

/** "12.3 mm", "−54 HU", "1.24 g/ml". */
export function written({ value, unit: said = "" } = {}) {
  const unit = UNITS[said] ?? said;
  if (value === null || value === undefined || !Number.isFinite(Number(value))) return "";
  const number = Number(value);
  const digits = DIGITS[unit] ?? (Math.abs(number) >= 100 ? 0 : Math.abs(number) >= 10 ? 1 : 2);
  const text = number.toFixed(digits).replace("-", "−");
  const shown = /^−0(\.0*)?$/.test(text) ? text.slice(1) : text;
  return unit === "°" ? `${shown}°` : [shown, unit].filter(Boolean).join(" ");
}

/** Square centimetres are what areas in a body are read in. */
function area(found) {
  if (found?.unit !== "mm²" || found.value < 100) return written(found);
  return written({ value: found.value / 100, unit: "cm²" });
}

/** Names of numbers, in the order in which they are read. */
const NAMES = {
  length: () => t("Length"),
  long: () => t("Long axis"),
  short: () => t("Short axis"),
  product: () => t("Product"),
  angle: () => t("Angle"),
  supplementary: () => t("Rest of 180°"),
  suv: () => t("SUV"),
  suv_mean: () => t("SUV mean"),
  suv_max: () => t("SUV max"),
  suv_min: () => t("SUV min"),
  suv_sd: () => t("SUV SD"),
  value: () => t("Value"),
  mean: () => t("Mean"),
  sd: () => t("SD"),
  min: () => t("Min"),
  max: () => t("Max"),
  area: () => t("Area"),
  perimeter: () => t("Perimeter"),
  n: () => t("Count"),
  known: () => t("Known length"),
  scale: () => t("Scale"),
};

/** The name of a number for people. */
export const nameOf = (name) => NAMES[name]?.() ?? name.replaceAll("_", " ");

const ORDER = Object.keys(NAMES);
const rank = (name) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
const HIDDEN = new Set(["x", "y", "z"]);

/** [{name, label, text, source}] of all numbers, in the order in which they are read. */
export function rows(values = {}) {
  return Object.entries(values)
    .filter(([name]) => !HIDDEN.has(name))
    .sort(([a], [b]) => rank(a) - rank(b))
    .map(([name, found]) => ({ name, label: nameOf(name), text: name === "area" ? area(found) : written(found), source: found.source ?? "" }))
    .filter(({ text }) => text);
}

const bare = (found) => written({ ...found, unit: "" });

/** "44.7 × 25.0 mm" */
function diameters({ long, short }) {
  if (!short) return written(long);
  if (short.unit !== long.unit) return `${written(long)} × ${written(short)}`;
  return `${written(long).slice(0, -long.unit.length - 1)} × ${written(short)}`;
}

/** What is read off a region: in SUV where it is known, else in the image's own values. */
function region({ mean, sd, min, max, suv_mean, suv_max, area: size }) {
  const found = [];
  if (suv_mean) found.push(`${t("SUV mean")} ${bare(suv_mean)}, ${t("max")} ${bare(suv_max)}`);
  if (mean) found.push([`${t("Mean")} ${written(mean)}`, sd && `${t("SD")} ${bareLike(sd)}`].filter(Boolean).join(", "));
  if (mean && min && max && !suv_mean) found.push(`${bareLike(min)} … ${written(max)}`);
  if (size) found.push(area(size));
  return found;
}

/** Without its unit, with as many digits as with it. */
function bareLike(found) {
  const text = written(found);
  return found.unit ? text.slice(0, text.lastIndexOf(" ")) : text;
}

/** The words beside a shape, line by line: only what is read at a glance. */
export function lines({ kind, label = "", values = {} }) {
  const named = label ? [label] : [];
  if (kind === "text" || kind === "arrow") return named;
  if (values.long) return [...named, diameters(values)];
  if (values.mean || values.area) return [...named, ...region(values)];
  if (values.known) return [...named, `${written(values.known)} (${t("stated")})`];
  const first = values.length ?? values.angle ?? values.value;
  if (first) return [...named, ...(values.suv ? [`${t("SUV")} ${bare(values.suv)}`] : []), written(first)];
  // What another program calls its numbers, as it calls them.
  return [...named, ...rows(values).slice(0, 2).map(({ label: name, text }) => `${name} ${text}`)];
}

const MEASURES = { kg: "kg", bq: "Bq", s: "s" };

/** "patient weight 66.2 kg", ...: what a number was made from, where that is told: of SUV weight, dose, half life and times. */
export function inputsOf(values = {}) {
  const { inputs } = Object.values(values).find((found) => found.inputs) ?? {};
  return Object.entries(inputs ?? {})
    .filter(([name]) => !name.endsWith("_source"))
    .map(([name, value]) => {
      const words = name.split("_");
      const unit = typeof value === "number" ? (MEASURES[words.at(-1)] ?? "") : "";
      const text = typeof value === "number" ? String(Number(value.toPrecision(6))) : String(value).replace(/^(\d{4}-\d\d-\d\d)T([\d:]+).*$/, "$1 $2");
      const source = inputs[`${name}_source`];
      return [told((unit ? words.slice(0, -1) : words).join(" ")), told(text), unit, source ? `(${told(source)})` : ""].filter(Boolean).join(" ");
    });
}

/** One line of it for lists and for those who hear the page. */
export const sentence = (mark) => lines({ ...mark, label: "" }).join(", ");

/** "+2.1 mm, +17 %": what became of a number since an earlier study; [] where nothing is known. */
export function changes(previous) {
  return Object.entries(previous?.change ?? {})
    .sort(([a], [b]) => rank(a) - rank(b))
    .map(([name, { absolute, percent, unit = "mm" }]) => {
      const signed = (value, unitName) => (Number.isFinite(value) ? `${value > 0 ? "+" : value < 0 ? "" : "±"}${written({ value, unit: unitName })}` : "");
      return { name, label: nameOf(name), text: [signed(absolute, unit), signed(percent, "%")].filter(Boolean).join(", ") };
    })
    .filter(({ text }) => text);
}
