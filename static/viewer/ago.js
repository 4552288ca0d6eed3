// How far apart two studies lie, in words. Dates are DICOM's, YYYYMMDD.

import { t } from "../i18n.js";

const DAY = 86400000;

/** Midnight of a date, UTC; null for what is none. */
function midnight(date) {
  const found = /^(\d{4})(\d{2})(\d{2})$/.exec(String(date ?? ""));
  if (!found) return null;
  const [year, month, day] = found.slice(1).map(Number);
  const at = new Date(Date.UTC(year, month - 1, day));
  return at.getUTCMonth() === month - 1 && at.getUTCDate() === day ? at : null;
}

/** Whole months from one day to a later one. */
function monthsBetween(from, to) {
  const months = (to.getUTCFullYear() - from.getUTCFullYear()) * 12 + to.getUTCMonth() - from.getUTCMonth();
  return months - (to.getUTCDate() < from.getUTCDate() ? 1 : 0);
}

const BEFORE = {
  day: (n) => (n === 1 ? t("1 day before") : t("{n} days before", { n })),
  week: (n) => (n === 1 ? t("1 week before") : t("{n} weeks before", { n })),
  month: (n) => (n === 1 ? t("1 month before") : t("{n} months before", { n })),
  year: (n) => (n === 1 ? t("1 year before") : t("{n} years before", { n })),
};
const AFTER = {
  day: (n) => (n === 1 ? t("1 day later") : t("{n} days later", { n })),
  week: (n) => (n === 1 ? t("1 week later") : t("{n} weeks later", { n })),
  month: (n) => (n === 1 ? t("1 month later") : t("{n} months later", { n })),
  year: (n) => (n === 1 ? t("1 year later") : t("{n} years later", { n })),
};

/** "8 months before", "2 days later", "the same day"; "" where a date is missing. */
export function apart(date, current) {
  const [one, other] = [midnight(date), midnight(current)];
  if (!one || !other) return "";
  if (one.getTime() === other.getTime()) return t("the same day");
  const words = one < other ? BEFORE : AFTER;
  const [from, to] = one < other ? [one, other] : [other, one];
  const days = Math.round((to - from) / DAY);
  const months = monthsBetween(from, to);
  if (days < 14) return words.day(days);
  if (months < 2) return words.week(Math.floor(days / 7));
  return months < 24 ? words.month(months) : words.year(Math.floor(months / 12));
}

/** What a study is beside the current one: "current", "prior", "later", or "other" where a date is missing or the same. */
export function standing(study, current) {
  if (!study || study.study_instance_uid === current.study_instance_uid) return "current";
  const when = ({ date, time }) => (midnight(date) ? `${date}${String(time ?? "").padEnd(6, "0").slice(0, 6)}` : "");
  const [one, other] = [when(study), when(current)];
  if (!one || !other || one === other) return "other";
  return one < other ? "prior" : "later";
}
