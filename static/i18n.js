// Words for people, in their language. The English text is the key; a catalogue that lacks it leaves it English. Imports nothing.

let catalogue = null;

/** The page brings its catalogue along as JSON: {"English text": "translated"}. */
function found() {
  if (catalogue) return catalogue;
  const element = globalThis.document?.getElementById("catalogue");
  catalogue = element ? JSON.parse(element.textContent) : {};
  return catalogue;
}

/** `text` in the reader's language, with {name} replaced by values.name. `text` is always written out at the call, so that a
 *  program can collect all of them. */
export function t(text, values = {}) {
  return (found()[text] ?? text).replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

let teller = null;

/** A sentence of the server in the reader's language (decision 0043): the server says it in English, with its values in it. */
export function told(text) {
  teller ??= tellerOf(found());
  return teller(text);
}

const PLACE = /\{\d+\}/;
const KEPT = 500;

/** What tells sentences by a catalogue {"an English one with {1} and {2}": "translated, with {2} and {1}"}. What stands in a place
 *  is told too; of several that fit, the one with the most words of its own is meant. */
export function tellerOf(words) {
  const frames = Object.keys(words)
    .filter((text) => PLACE.test(text))
    .map((text) => ({ text, parts: text.split(PLACE) }))
    .sort((a, b) => b.parts.join("").length - a.parts.join("").length)
    .map(({ text, parts }) => ({ text, form: new RegExp(`^${parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("(.+?)")}$`, "s") }));
  const known = new Map();

  function tell(text) {
    if (Object.hasOwn(words, text)) return words[text];
    for (const { text: key, form } of frames) {
      const values = form.exec(text);
      if (values) return words[key].replace(/\{(\d+)\}/g, (_, number) => tell(values[number]));
    }
    const mark = ["; ", ", "].find((one) => text.includes(one));
    return mark ? text.split(mark).map(tell).join(mark) : text;
  }

  return (text) => {
    if (!frames.length || typeof text !== "string" || !text) return text;
    if (!known.has(text)) {
      if (known.size >= KEPT) known.clear();
      known.set(text, tell(text));
    }
    return known.get(text);
  };
}
