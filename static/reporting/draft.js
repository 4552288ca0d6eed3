// A report as it is being written: the values of its fields, how each was filled, and what of it the server has. Pure.

import { parse } from "./chips.js";
import { differing, same } from "./merging.js";

/** Every field of a schema, in order. */
export const fieldsOf = (schema) => (schema?.sections ?? []).flatMap((section) => section.fields.map((field) => ({ ...field, section: section.id, sectionTitle: section.title, sectionRequired: Boolean(section.required) })));

/** True where there is nothing to read in a field. */
export function isEmpty(field, value) {
  if (value === undefined || value === null) return true;
  if (typeof value === "string") return parse(value).text.trim() === "";
  if (Array.isArray(value)) return value.length === 0;
  return field.type === "checkbox" && value === false;
}

export class Draft extends EventTarget {
  constructor(report) {
    super();
    this.adopt(report);
  }

  /** Takes a report as the server tells it: nothing is unsaved then. */
  adopt(report) {
    this.report = report;
    this.schema = report.schema;
    this.version = report.version;
    this.base = { ...report.content };
    this.baseFills = { ...report.fills };
    this.content = { ...report.content };
    this.fills = { ...report.fills };
  }

  /** Sets a field by hand or from the record. Says nothing where nothing changes. */
  set(id, value, fill) {
    if (same(this.content[id], value) && this.fills[id] === fill) return false;
    this.content = { ...this.content, [id]: value };
    this.fills = { ...this.fills, [id]: fill };
    this.dispatchEvent(new CustomEvent("changed", { detail: { id } }));
    return true;
  }

  /** Another content as a whole: recovered, merged or settled. `told` are the ids of fields that are to be drawn anew. */
  replace(content, fills, told) {
    this.content = { ...content };
    this.fills = { ...fills };
    this.dispatchEvent(new CustomEvent("replaced", { detail: { ids: told } }));
  }

  /** Ids of fields that the server does not have as they are here. */
  get unsaved() {
    return [...new Set([...differing(this.base, this.content), ...differing(this.baseFills, this.fills)])];
  }

  /** What the server holds from now on. */
  acknowledge(version, content, fills) {
    this.version = version;
    this.base = { ...content };
    this.baseFills = { ...fills };
  }
}
