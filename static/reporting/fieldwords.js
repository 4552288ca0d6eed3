// What a field says, as a text: for comparing, and for reading a report that is not being written.

import { t } from "../i18n.js";
import { plain } from "./chips.js";
import { isEmpty } from "./draft.js";

const optionWords = (field, value) => field?.options?.find((one) => one.value === value)?.label || value;

/** The value of a field in words; "" for nothing. */
export function valueWords(field, value) {
  if (isEmpty(field ?? {}, value)) return "";
  if (Array.isArray(value)) return value.map((one) => optionWords(field, one)).join(", ");
  if (typeof value === "boolean") return value ? t("yes") : t("no");
  if (typeof value === "number") return [String(value), field?.units].filter(Boolean).join(" ");
  return field?.type === "selection" ? optionWords(field, value) : plain(value);
}

/** A whole section in words, a line for each field that is not alone in it. */
export function sectionWords(section, content) {
  const lines = section.fields.map((field) => {
    const words = valueWords(field, content?.[field.id]);
    if (!words) return "";
    const named = section.fields.length > 1 && field.label && field.label !== section.title;
    return named ? `${field.label}: ${words}` : words;
  });
  return lines.filter(Boolean).join("\n");
}
