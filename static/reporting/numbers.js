// Numbers as people type them into a field with a unit. Imports nothing.

/** A typed number: with a point or a comma, with or without its unit; null for nothing, NaN for no number. */
export function readNumber(text, unit = "") {
  let typed = String(text ?? "").trim().replace(/^−/, "-");
  if (unit && typed.toLowerCase().endsWith(unit.toLowerCase())) typed = typed.slice(0, -unit.length).trim();
  if (!typed) return null;
  return /^[+-]?(\d+([.,]\d*)?|[.,]\d+)$/.test(typed) ? Number(typed.replace(",", ".")) : NaN;
}

/** A number as it stands in the field. */
export const writeNumber = (value) => (value === null || value === undefined || value === "" ? "" : String(value));

const LENGTHS = { mm: 1, cm: 10, m: 1000 };
const AREAS = { mm2: 1, "mm²": 1, cm2: 100, "cm²": 100 };

/** A value in another unit of the same kind; null where it cannot be had. */
export function converted(value, from, to) {
  if (!to || from === to) return value;
  for (const table of [LENGTHS, AREAS]) if (table[from] && table[to]) return Number(((value * table[from]) / table[to]).toPrecision(12));
  return null;
}

/** {value, unit} of words like "12.3 mm"; null for none. */
export function quantity(words) {
  const found = /^\s*([+−-]?\d+(?:[.,]\d+)?)\s*([^\d\s].*)?$/.exec(words ?? "");
  return found ? { value: readNumber(found[1]), unit: (found[2] ?? "").trim() } : null;
}

/** The allowed range as a person reads it: "0 to 200", "at least 0"; "" for none. */
export function outOfRange(value, { minimum = null, maximum = null }) {
  if (value === null || Number.isNaN(value)) return false;
  return (minimum !== null && minimum !== undefined && value < minimum) || (maximum !== null && maximum !== undefined && value > maximum);
}
