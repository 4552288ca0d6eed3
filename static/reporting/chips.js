// Links to evidence in a text. What is stored is `[[measurement:UID/long|12.3 mm]]` (reporting/chips.py); what is shown and edited
// is the words alone, with the places of the links beside them. Imports nothing.

const CHIP = /\[\[(key_image|measurement):([0-9A-Za-z.-]{1,64})(?:\/([a-z_]{1,40}))?\|([^[\]|]{1,200})\]\]/g;
const UNFIT = /[[\]|]/;

/** @typedef {{start: number, end: number, kind: string, uid: string, value: string}} Link a place in the shown text */

/** {text, links} of a stored text. */
export function parse(raw) {
  const links = [];
  let text = "";
  let at = 0;
  for (const found of String(raw ?? "").matchAll(CHIP)) {
    text += raw.slice(at, found.index);
    const [whole, kind, uid, value = "", words] = found;
    links.push({ start: text.length, end: text.length + words.length, kind, uid, value });
    text += words;
    at = found.index + whole.length;
  }
  return { text: text + String(raw ?? "").slice(at), links };
}

/** The stored form of one link. */
export const chip = ({ kind, uid, value }, words) => `[[${kind}:${uid}${value ? `/${value}` : ""}|${words}]]`;

/** The stored text of what is shown. */
export function write({ text, links }) {
  let raw = "";
  let at = 0;
  for (const link of links) {
    raw += text.slice(at, link.start) + chip(link, text.slice(link.start, link.end));
    at = link.end;
  }
  return raw + text.slice(at);
}

/** A stored text as it reads. */
export const plain = (raw) => parse(raw).text;

/** The part of what is shown between two places: {text, links}; a link that is cut through is words alone. */
export function part({ text, links }, start, end) {
  const inside = links.filter((link) => link.start >= start && link.end <= end);
  return { text: text.slice(start, end), links: inside.map((link) => ({ ...link, start: link.start - start, end: link.end - start })) };
}

/** Which part of the old text was replaced: {from, to} there, and `until` in the new one. The caret stands after what was put in,
 *  so that equal letters on both sides of it do not mislead. */
export function replaced(was, now, caret) {
  const behind = caret === null ? -1 : now.length - caret;
  const fits = behind >= 0 && behind <= was.length && was.endsWith(now.slice(caret));
  const least = Math.min(was.length, now.length);
  const prefix = commonPrefix(was, now, least - (fits ? behind : 0));
  const suffix = fits ? behind : commonSuffix(was, now, least - prefix);
  return { from: prefix, to: was.length - suffix, until: now.length - suffix };
}

function commonPrefix(a, b, most) {
  let at = 0;
  while (at < most && a[at] === b[at]) at += 1;
  return at;
}

function commonSuffix(a, b, most) {
  let at = 0;
  while (at < most && a[a.length - 1 - at] === b[b.length - 1 - at]) at += 1;
  return at;
}

/** Links after the shown text was changed by hand: {links, broken}. A measurement whose number was touched is no link any more;
 *  the words for a picture may be changed inside. `broken` have their place in the new text and the words they had. */
export function edited({ text: was, links }, now, caret = null) {
  const { from, to, until } = replaced(was, now, caret);
  const by = now.length - was.length;
  const kept = [];
  const broken = [];
  for (const link of links) {
    if (to <= link.start) kept.push({ ...link, start: link.start + by, end: link.end + by });
    else if (from >= link.end) kept.push(link);
    else if (from > link.start || to < link.end) {
      const start = from <= link.start ? until : link.start;
      const end = to >= link.end ? from : link.end + by;
      const words = now.slice(start, end);
      const fit = from > link.start && to < link.end && words.length <= 200 && !UNFIT.test(words);
      if (fit && link.kind === "key_image") kept.push({ ...link, end });
      else broken.push({ ...link, start, end, words: was.slice(link.start, link.end) });
    }
  }
  return { links: kept, broken };
}

/** Moves places that only mark something along with a change: those that are touched go. */
export function shifted(marks, { text: was }, now, caret = null) {
  const { from, to } = replaced(was, now, caret);
  const by = now.length - was.length;
  return marks
    .filter(({ start, end }) => to <= start || from >= end)
    .map((mark) => (to <= mark.start ? { ...mark, start: mark.start + by, end: mark.end + by } : mark));
}

/** The link at a place of the shown text: that which ends or begins there too. */
export const linkAt = (links, place) => links.find(({ start, end }) => start <= place && place <= end) ?? null;

/** A place of the stored text, counted in code points as the server counts, as a place of the shown text. */
export function shownPlace(raw, codePoints) {
  const units = [...raw].slice(0, codePoints).join("").length;
  const before = raw.slice(0, units);
  const { text, links } = parse(raw);
  let storedTo = 0;
  let shownTo = 0;
  for (const link of links) {
    const words = text.slice(link.start, link.end);
    const whole = chip(link, words);
    const storedFrom = storedTo + (link.start - shownTo);
    if (units <= storedFrom) return shownTo + (units - storedTo);
    if (units < storedFrom + whole.length) return Math.min(link.end, link.start + Math.max(0, units - (storedFrom + whole.length - 2 - words.length)));
    storedTo = storedFrom + whole.length;
    shownTo = link.end;
  }
  return shownTo + (before.length - storedTo);
}
