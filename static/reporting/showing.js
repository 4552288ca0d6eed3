// Which fields are shown: `data-x-show-if="field op value"`. reporting/mrrt/showing.py says the same on the server;
// tests/reporting/show_if.json holds both to it.

const SPACE = " \\t\\n\\r\\f\\v\\u00a0";
const WRITTEN = new RegExp(`^([^${SPACE}=<>!'"]{1,200})(?:[${SPACE}]*(!=|<=|>=|=|<|>)|[${SPACE}]+(contains|empty|filled)(?![^${SPACE}]))([^\\n\\r]*)$`, "u");
const EDGES = new RegExp(`^[${SPACE}]+|[${SPACE}]+$`, "gu");
const NUMBER = /^[+-]?([0-9]{1,15}(\.[0-9]{0,15})?|\.[0-9]{1,15})([eE][+-]?[0-9]{1,2})?$/;
const MOMENTS = [/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/, /^[0-9]{2}:[0-9]{2}(:[0-9]{2})?$/];
const ORDER = {
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
};
const OPERATORS = new Set(["=", "!=", ...Object.keys(ORDER), "contains", "empty", "filled"]);

const trimmed = (text) => text.replace(EDGES, "");

/** The condition that a text writes, {field, op, value}; null where it is none. The value may stand in quotes. */
export function parsed(text) {
  const found = WRITTEN.exec(trimmed(text));
  if (!found) return null;
  const [field, op] = [found[1], found[2] ?? found[3]];
  let value = trimmed(found[4]);
  if (value.length > 1 && value[0] === value.at(-1) && `"'`.includes(value[0])) value = value.slice(1, -1);
  if (op === "empty" || op === "filled") return value ? null : { field, op, value: "" };
  return value || op === "=" || op === "!=" ? { field, op, value } : null;
}

/** Ids of the fields of a template that are shown for what is filled in, as a Set. */
export function shown(schema, content) {
  const conditions = new Map();
  for (const section of schema.sections) for (const field of section.fields ?? []) conditions.set(field.id, field.show_if ?? null);
  return new Set([...conditions.keys()].filter((id) => isShown(id, conditions, content)));
}

/** Follows the questions one after the other; a circle ends where it began. */
function isShown(id, conditions, content) {
  const seen = new Set();
  for (let at = id; !seen.has(at); ) {
    seen.add(at);
    const condition = conditions.get(at);
    if (!condition || !conditions.has(condition.field) || !OPERATORS.has(condition.op)) return true;
    if (!holds(condition, content)) return false;
    at = condition.field;
  }
  return true;
}

/** Is one condition true for what is filled in? */
export function holds(condition, content) {
  const value = Object.hasOwn(content, condition.field) ? content[condition.field] : null;
  const { op, value: wanted = "" } = condition;
  if (op === "empty") return isEmpty(value);
  if (op === "filled") return !isEmpty(value);
  if (op === "=") return equal(value, wanted);
  if (op === "!=") return !equal(value, wanted);
  if (op === "contains") return contains(value, wanted);
  return ordered(op, value, wanted);
}

/** Nothing, spaces only, no choice, or a checkbox that is not ticked. */
function isEmpty(value) {
  if (typeof value === "string") return !trimmed(value);
  return value === null || value === undefined || value === false || (Array.isArray(value) && !value.length);
}

function plain(value) {
  if (typeof value === "boolean") return String(value);
  return typeof value === "string" ? trimmed(value) : "";
}

function asNumber(value) {
  if (typeof value === "number") return value;
  const text = typeof value === "string" ? trimmed(value) : "";
  return NUMBER.test(text) ? Number(text) : null;
}

/** Of a list: is it among the chosen ones? An unticked checkbox is "false"; what nobody filled in equals only "". */
function equal(value, wanted) {
  if (Array.isArray(value)) return value.length ? value.some((one) => equal(one, wanted)) : !trimmed(wanted);
  const [here, there] = [asNumber(value), asNumber(wanted)];
  if (here !== null && there !== null) return here === there;
  if (here !== null && typeof value !== "string") return false;
  return plain(value) === trimmed(wanted);
}

function contains(value, wanted) {
  if (Array.isArray(value)) return value.some((one) => equal(one, wanted));
  return typeof value === "string" && value.includes(trimmed(wanted));
}

function ordered(op, value, wanted) {
  if (Array.isArray(value)) return value.some((one) => ordered(op, one, wanted));
  const [here, there] = [asNumber(value), asNumber(wanted)];
  if (here !== null && there !== null) return ORDER[op](here, there);
  const texts = [plain(value), trimmed(wanted)];
  return MOMENTS.some((form) => texts.every((text) => form.test(text))) && ORDER[op](...texts);
}
