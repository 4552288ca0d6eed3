// Two people's changes of one report, field by field. Pure.

/** A text that two values share exactly when they are the same to a reader: nothing, null and an empty text are. */
export function sameness(value) {
  if (value === undefined || value === null || value === "" || value === false) return "";
  if (Array.isArray(value)) return value.length ? JSON.stringify(value) : "";
  return JSON.stringify(value);
}

export const same = (a, b) => sameness(a) === sameness(b);

/** Ids of fields in which two contents differ. */
export function differing(a, b) {
  return [...new Set([...Object.keys(a ?? {}), ...Object.keys(b ?? {})])].filter((id) => !same(a?.[id], b?.[id]));
}

/** {content, theirs, clashes} of both sides' changes since `base`: what only one side changed is taken from it; `theirs` names the
 *  fields that came from the other side, `clashes` are {field, base, mine, theirs}, in `content` as mine. */
export function merged(base, mine, theirs) {
  const content = { ...mine };
  const taken = [];
  const clashes = [];
  for (const field of differing(mine, theirs)) {
    const [was, my, their] = [base?.[field], mine[field], theirs[field]];
    if (same(was, my)) {
      content[field] = their;
      taken.push(field);
    } else if (!same(was, their)) clashes.push({ field, base: was, mine: my, theirs: their });
  }
  return { content, theirs: taken, clashes };
}

/** Whether two values can stand one after the other. */
export const joinable = ({ mine, theirs }) => typeof mine === "string" && typeof theirs === "string" && mine.trim() !== "" && theirs.trim() !== "";

/** Both texts, mine first. */
export const joined = ({ mine, theirs }) => `${mine.trimEnd()}\n${theirs.trimStart()}`;
