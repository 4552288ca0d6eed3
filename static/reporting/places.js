// Places in a text that wait to be filled: `[ ]` and `***`. Imports nothing.

const PLACE = /\[ *\]|\*{3}/g;

/** [{start, end}] of a shown text. */
export const placesOf = (text) => [...text.matchAll(PLACE)].map((found) => ({ start: found.index, end: found.index + found[0].length }));

/** The next place from `at` on; `back`: the last one before it. Null where there is none that way. */
export function nextPlace(text, at, back = false) {
  const places = placesOf(text);
  return back ? (places.filter(({ end }) => end <= at).at(-1) ?? null) : (places.find(({ start }) => start >= at) ?? null);
}
