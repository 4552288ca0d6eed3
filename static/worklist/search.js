// What is asked of the worklist, as the address of the page says it: it can be linked, reloaded, gone back to and saved. Imports
// nothing.

export const FIELDS = ["tab", "q", "class", "modality", "body_part", "organization", "assigned", "sort"];
export const USUAL = { tab: "unread", sort: "score" };
export const CLASSES = ["STROKE", "TRAUMA", "STAT", "URGENT", "ROUTINE"];

/** {tab, q, class, ...} of an address's query; what is not said is as usual or empty. */
export function searchOf(query) {
  const asked = new URLSearchParams(query);
  return Object.fromEntries(FIELDS.map((name) => [name, (asked.get(name) ?? "").trim() || (USUAL[name] ?? "")]));
}

const said = (search) => FIELDS.filter((name) => search[name] && search[name] !== USUAL[name]).map((name) => [name, search[name]]);

/** The query of an address, "" for the plain list. */
export function queryOf(search) {
  const text = new URLSearchParams(said(search)).toString();
  return text ? `?${text}` : "";
}

/** What a saved filter keeps. */
export const kept = (search) => Object.fromEntries(said(search));

/** What the REST door is asked. */
export function requestOf(search, page = 1) {
  const asked = new URLSearchParams(FIELDS.filter((name) => search[name]).map((name) => [name, search[name]]));
  if (page > 1) asked.set("page", String(page));
  return `/api/worklist/?${asked}`;
}

/** Whether two searches ask the same. */
export const same = (one, other) => FIELDS.every((name) => (one[name] ?? "") === (other[name] ?? ""));
