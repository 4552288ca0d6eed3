// The search as the address of the page says it, so that it can be linked, reloaded and gone back to. Imports nothing.

export const FIELDS = ["q", "patient_name", "patient_id", "accession_number", "description", "modality", "date_from", "date_to", "organization"];
export const USUAL_SORT = "-date";

/** {fields, sort} of an address's query. */
export function searchOf(query) {
  const asked = new URLSearchParams(query);
  const fields = Object.fromEntries(FIELDS.map((name) => [name, (asked.get(name) ?? "").trim()]).filter(([, value]) => value));
  return { fields, sort: asked.get("sort") || USUAL_SORT };
}

/** The query of an address, "" for the plain list. */
export function queryOf({ fields, sort }) {
  const said = new URLSearchParams();
  for (const name of FIELDS) if (fields[name]) said.set(name, fields[name]);
  if (sort !== USUAL_SORT) said.set("sort", sort);
  const text = said.toString();
  return text ? `?${text}` : "";
}

/** What the REST door is asked. */
export function requestOf({ fields, sort }, cursor = null, limit = null) {
  const asked = new URLSearchParams({ ...fields, sort });
  if (cursor) asked.set("cursor", cursor);
  if (limit) asked.set("limit", String(limit));
  return `/api/studies/?${asked}`;
}

/** The sort after a click on a column: the same one turned round, a new one in the direction that people expect. */
export function nextSort(now, name) {
  const first = ["date", "received", "instances"].includes(name) ? `-${name}` : name;
  if (now.replace(/^-/, "") !== name) return first;
  return now.startsWith("-") ? name : `-${name}`;
}
