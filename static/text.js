// What DICOM writes, as people read it: names, dates, times, ages, counts. Imports only words.

import { t } from "./i18n.js";

/** "Yamada^Tarou=山田^太郎=やまだ^たろう" -> {family, given, ...} of each group that is filled. */
function groups(name) {
  return String(name ?? "")
    .split("=")
    .map((group) => {
      const [family = "", given = "", middle = "", prefix = "", suffix = ""] = group.split("^").map((part) => part.trim());
      return { family, given, middle, prefix, suffix };
    })
    .map((parts, index) => ({ ...parts, index }))
    .filter(({ family, given, middle }) => family || given || middle);
}

function written({ family, given, middle, index }) {
  const first = [given, middle].filter(Boolean).join(" ");
  if (index === 1) return [family, first].filter(Boolean).join(" ");
  return [family, first].filter(Boolean).join(", ");
}

/** A Patient's Name for reading: the ideographic group first where it is given, then the alphabetic one in brackets. */
export function personName(name) {
  const found = groups(name);
  if (!found.length) return t("No name");
  const ideographic = found.find((group) => group.index === 1);
  const alphabetic = found.find((group) => group.index === 0);
  if (ideographic && alphabetic) return `${written(ideographic)} (${written(alphabetic)})`;
  return written(ideographic ?? alphabetic ?? found[0]);
}

/** "20240131" -> "2024-01-31"; partial or foreign values come back as they were stored. */
export function isoDate(date) {
  const text = String(date ?? "").trim();
  const found = /^(\d{4})[.-]?(\d{2})[.-]?(\d{2})$/.exec(text);
  return found ? `${found[1]}-${found[2]}-${found[3]}` : text;
}

/** "134502.123" -> "13:45:02"; "1345" -> "13:45". */
export function clockTime(time) {
  const text = String(time ?? "").trim();
  const found = /^(\d{2}):?(\d{2})(?::?(\d{2}))?/.exec(text);
  if (!found) return text;
  return found[3] === undefined ? `${found[1]}:${found[2]}` : `${found[1]}:${found[2]}:${found[3]}`;
}

const AGES = { D: (n) => t("{n} d", { n }), W: (n) => t("{n} wk", { n }), M: (n) => t("{n} mo", { n }), Y: (n) => t("{n} y", { n }) };

/** "045Y" -> "45 y"; "006M" -> "6 mo". */
export function age(text) {
  const found = /^(\d{1,3})([DWMY])$/.exec(String(text ?? "").trim());
  if (!found) return String(text ?? "").trim();
  return AGES[found[2]](Number(found[1]));
}

/** Age in whole years on a day, both YYYYMMDD; "" when either is not a date. */
export function ageOn(birth, day) {
  const [from, to] = [isoDate(birth), isoDate(day)];
  if (!/^\d{4}-\d\d-\d\d$/.test(from) || !/^\d{4}-\d\d-\d\d$/.test(to) || to < from) return "";
  const years = Number(to.slice(0, 4)) - Number(from.slice(0, 4)) - (to.slice(5) < from.slice(5) ? 1 : 0);
  if (years > 130) return ""; // a stand-in for a date that nobody knew
  if (years >= 2) return AGES.Y(years);
  const months = (Number(to.slice(0, 4)) - Number(from.slice(0, 4))) * 12 + Number(to.slice(5, 7)) - Number(from.slice(5, 7));
  return AGES.M(Math.max(0, months - (to.slice(8) < from.slice(8) ? 1 : 0)));
}

/** DICOM's Patient's Sex as a word. */
export function sexWord(sex) {
  return { M: t("male"), F: t("female"), O: t("other") }[String(sex ?? "").trim()] ?? "";
}

/** "1 image", "217 images". */
export function imagesIn(number) {
  return Number(number) === 1 ? t("1 image") : t("{n} images", { n: Number(number ?? 0) });
}

/** "1 object", "217 objects". */
export function objectsIn(number) {
  return Number(number) === 1 ? t("1 object") : t("{n} objects", { n: Number(number ?? 0) });
}

/** 1536 -> "1.5 kB"; decimal units, as disks are sold and networks measured. */
export function bytes(number) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = Number(number) || 0;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit && value < 100 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** A number without needless digits: 40, 1.25, 0.0031. */
export function short(value, digits = 4) {
  const number = Number(value);
  if (!Number.isFinite(number)) return "";
  return String(Number(number.toPrecision(digits)));
}
