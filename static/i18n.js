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
