// Numbers of measurements as people read them: few digits, always a unit, never millimetres without a source.

import { t } from "../../../i18n.js";

/** Digits after the point, by unit. */
const DIGITS = { mm: 1, "mm²": 1, "mm³": 1, cm: 2, "cm²": 2, px: 1, "px²": 0, "°": 1, pixels: 0, samples: 0, HU: 0, "%": 0 };

/** "12.3 mm", "−54 HU", "1.24 g/ml". */
export function written({ value, unit = "" } = {}) {
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

const NAMES = {
  length: () => t("Length"),
  long: () => t("Long axis"),
  short: () => t("Short axis"),
  long_axis: () => t("Long axis"),
  short_axis: () => t("Short axis"),
  angle: () => t("Angle"),
  area: () => t("Area"),
  perimeter: () => t("Perimeter"),
  mean: () => t("Mean"),
  sd: () => t("SD"),
  min: () => t("Min"),
  max: () => t("Max"),
  n: () => t("Count"),
  value: () => t("Value"),
  suv: () => t("SUVbw"),
  known: () => t("Known length"),
};

/** The name of a number for people. */
export const nameOf = (name) => NAMES[name]?.() ?? name.replaceAll("_", " ");

const ORDER = ["length", "long", "long_axis", "short", "short_axis", "angle", "value", "suv", "mean", "sd", "min", "max", "area", "perimeter", "n"];
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

const long = (values) => values.long ?? values.long_axis;
const short = (values) => values.short ?? values.short_axis;

/** The words beside a shape, line by line: only what is read at a glance. */
export function lines({ kind, label = "", values = {} }) {
  const named = label ? [label] : [];
  if (kind === "text" || kind === "arrow") return named;
  if (kind === "bidirectional" && long(values)) {
    const both = [long(values), short(values)].filter(Boolean);
    return [...named, both.length === 2 && both[0].unit === both[1].unit ? `${written({ value: both[0].value, unit: both[0].unit }).replace(/ \S+$/, "")} × ${written(both[1])}` : both.map(written).join(" × ")];
  }
  const first = values.length ?? values.angle ?? values.value;
  if (first && !values.mean) return [...named, written(first), ...(values.suv ? [`${t("SUVbw")} ${written({ ...values.suv, unit: "" })}`] : [])];
  const found = [...named];
  if (values.mean) {
    found.push([`${t("Mean")} ${written(values.mean)}`, values.sd && `${t("SD")} ${written({ ...values.sd, unit: "" })}`].filter(Boolean).join(", "));
    if (values.min && values.max) found.push(`${written({ ...values.min, unit: "" })} … ${written(values.max)}`);
  }
  if (values.suv) found.push(`${t("SUVbw")} ${written({ ...values.suv, unit: "" })}`);
  if (values.area) found.push(area(values.area));
  return found.filter(Boolean);
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
