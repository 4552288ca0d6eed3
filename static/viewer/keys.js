// Which key does what. A key map is a table from key to command name; `?` shows the table of where you are. Imports nothing.

/** Rows: [key, command, argument]. Keys are KeyboardEvent.key values; letters match either case. */
const READER = [
  ["w", "tool", "window"],
  ["z", "tool", "zoom"],
  ["t", "tool", "pan"],
  ["s", "tool", "scroll"],
  ["u", "tool", "turn"],
  ["x", "next-plane"],
  ["y", "next-projection"],
  ["[", "slab", -1],
  ["]", "slab", 1],
  ["+", "zoom", 1.25],
  ["-", "zoom", 0.8],
  ["=", "fit"],
  ["0", "native"],
  ["r", "rotate", 90],
  ["l", "rotate", -90],
  ["h", "flip", "horizontal"],
  ["v", "flip", "vertical"],
  ["i", "invert"],
  ["c", "cine"],
  ["ArrowLeft", "viewport", -1],
  ["ArrowRight", "viewport", 1],
  ["ArrowUp", "frame", -1],
  ["ArrowDown", "frame", 1],
  ["Home", "end", "first"],
  ["End", "end", "last"],
  ["PageUp", "series", -1],
  ["PageDown", "series", 1],
  [" ", "reset"],
  ["Escape", "cancel"],
  ["m", "maximise"],
  ["a", "annotations"],
  ["?", "help"],
  ["F1", "help"],
  ...Array.from({ length: 9 }, (_, index) => [String(index + 1), "preset", index]),
];

const BIR = [
  ["s", "tool", "scroll"],
  ["w", "tool", "window"],
  ["z", "tool", "zoom"],
  ["t", "tool", "pan"],
  ["i", "annotations"],
  ["c", "cine"],
  ["h", "help"],
  ["F1", "help"],
  ["?", "help"],
  ["x", "next-plane"],
  ["y", "next-projection"],
  ["[", "slab", -1],
  ["]", "slab", 1],
  ["+", "zoom", 1.25],
  ["-", "zoom", 0.8],
  ["=", "fit"],
  ["0", "native"],
  ["ArrowLeft", "frame", -1],
  ["ArrowRight", "frame", 1],
  ["ArrowUp", "frame", -1],
  ["ArrowDown", "frame", 1],
  ["Home", "end", "first"],
  ["End", "end", "last"],
  ["PageUp", "series", -1],
  ["PageDown", "series", 1],
  ["Escape", "reset"],
  ["m", "maximise"],
  ...Array.from({ length: 9 }, (_, index) => [String(index + 1), "preset", index]),
];

export const KEY_MAPS = { reader: READER, bir: BIR };
export const KEY_MAP_TITLES = { reader: "Reader", bir: "BIR (IHE Basic Image Review)" };

const SHOWN = { " ": "Space", ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", PageUp: "PgUp", PageDown: "PgDn", Escape: "Esc" };

/** A key as a person reads it. */
export function keyLabel(key) {
  return SHOWN[key] ?? (key.length === 1 ? key.toUpperCase() : key);
}

function typing(target) {
  return Boolean(target?.closest?.("input:not([type=checkbox]):not([type=radio]), select, textarea, [contenteditable=true]"));
}

/** {command, argument} for a key press, or null: while typing, with a system modifier, or for a key that means nothing here. */
export function commandFor(event, map = READER) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(event.target)) return null;
  const key = event.key?.length === 1 ? event.key.toLowerCase() : event.key;
  const row = map.find(([named]) => named === key);
  return row ? { command: row[1], argument: row[2] } : null;
}

/** The keys of a command, for tooltips: ["R"]. */
export function keysOf(command, argument, map = READER) {
  return map.filter(([, name, value]) => name === command && (argument === undefined || value === argument)).map(([key]) => keyLabel(key));
}
