// Macros: {shortcut} in a text stands for the text of that macro, nested. reporting/mrrt/macros.py does the same on the server;
// tests/reporting/macros.json holds both to it.

const CALL = /\{([^ \t\r\n\u00a0{}[\]|]{2,32})\}/gu;
const BRACED = /\{([^ \t\r\n\u00a0{}[\]|]{2,32})\}$/u;
const WORD = /[^ \t\r\n\u00a0{}[\]|]{2,40}$/u;
const OPENING = /^["'(«‘“„<,;:/-]/u;
export const LONGEST = 20000;
const DEEPEST = 16;
const MOST = 2000;

/** {text, unknown, loops, too_much}: `text` with its macros written out; `macros` is {shortcut: text}. What leads back to itself, is
 *  unknown or would grow without bound stays as it is written. */
export function expand(text, macros) {
  const told = { text: "", unknown: [], loops: [], too_much: false };
  let [room, calls] = [LONGEST, 0];
  const once = (list, name) => list.includes(name) || list.push(name);
  const kept = (part) => {
    room -= part.length;
    return part;
  };
  const called = (written, name, within) => {
    const body = Object.hasOwn(macros, name) ? macros[name] : null;
    if (body === null) once(told.unknown, name);
    else if (within.includes(name)) once(told.loops, name);
    else if (within.length >= DEEPEST || calls >= MOST || body.length > room) told.too_much = true;
    else {
      calls += 1;
      return of(body, [...within, name]);
    }
    return kept(written);
  };
  const of = (part, within) => {
    let [out, end] = ["", 0];
    for (const found of part.matchAll(CALL)) {
      out += kept(part.slice(end, found.index)) + called(found[0], found[1], within);
      end = found.index + found[0].length;
    }
    return out + kept(part.slice(end));
  };
  told.text = of(text, []);
  return told;
}

/** The shortcut that ends at the caret, {start, end, shortcut}, or null: a word of its own that is a macro, in braces or not. */
export function shortcutBefore(text, caret, macros) {
  const before = text.slice(0, caret);
  const braced = BRACED.exec(before);
  if (braced) return Object.hasOwn(macros, braced[1]) ? { start: braced.index, end: caret, shortcut: braced[1] } : null;
  for (let word = WORD.exec(before)?.[0] ?? ""; word; word = OPENING.test(word) ? word.slice(1) : "") {
    if (Object.hasOwn(macros, word)) return { start: caret - word.length, end: caret, shortcut: word };
  }
  return null;
}
