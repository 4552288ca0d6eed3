// Which key does what. A key map is a table from key to command name; `?` shows the table of where you are. Imports nothing.

/** Rows: [key, command, argument]. Keys are KeyboardEvent.key values, letters small, after "Ctrl+" (Cmd on a Mac), "Shift+" where
 *  those are held; signs that need Shift on some keyboards stand without it. */
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
  ["<", "cine-speed", -1],
  [">", "cine-speed", 1],
  ["{", "time", -1],
  ["}", "time", 1],
  ["Shift+s", "subtract"],
  ["Shift+k", "mask-here"],
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
  ["d", "tool", "length"],
  ["b", "tool", "bidirectional"],
  ["g", "tool", "angle"],
  ["e", "tool", "ellipse"],
  ["f", "tool", "freehand"],
  ["p", "tool", "probe"],
  ["n", "tool", "arrow"],
  ["Shift+d", "tool", "select"],
  ["Shift+g", "tool", "cobb"],
  ["Shift+e", "tool", "rectangle"],
  ["Shift+n", "tool", "text"],
  ["Shift+c", "tool", "calibration"],
  ["Shift+m", "tool", "magnifier"],
  ["Backspace", "delete"],
  ["Delete", "delete"],
  ["Ctrl+z", "undo"],
  ["Ctrl+y", "redo"],
  ["Ctrl+Shift+z", "redo"],
  ["k", "key-image"],
  ["j", "tool", "crosshair"],
  ["o", "reference-lines"],
  ["q", "mpr"],
  ["Shift+l", "link"],
  ["Shift+p", "prior"],
  ["Shift+j", "live"],
  ["Shift+w", "viewed-next"],
  ["Shift+r", "report"],
  ["F2", "report-measurement"],
  ["Shift+F2", "report-key-image"],
  ["Shift+i", "print"],
  [".", "stage", 1],
  [",", "stage", -1],
  ["?", "help"],
  ["F1", "help"],
  ...Array.from({ length: 9 }, (_, index) => [String(index + 1), "preset", index]),
];

const BIR = [
  ["s", "tool", "scroll"],
  ["w", "tool", "window"],
  ["z", "tool", "zoom"],
  ["t", "tool", "pan"],
  ["v", "tool", "select"],
  ["d", "tool", "length"],
  ["a", "tool", "angle"],
  ["j", "tool", "crosshair"],
  ["o", "reference-lines"],
  ["l", "link", true],
  ["u", "link", false],
  ["p", "print"],
  ["r", "report"],
  ["F2", "report-measurement"],
  ["Shift+F2", "report-key-image"],
  ["b", "tool", "bidirectional"],
  ["e", "tool", "ellipse"],
  ["f", "tool", "freehand"],
  ["n", "tool", "arrow"],
  ["g", "tool", "probe"],
  ["Shift+a", "tool", "cobb"],
  ["Shift+e", "tool", "rectangle"],
  ["Shift+n", "tool", "text"],
  ["Shift+c", "tool", "calibration"],
  ["Shift+m", "tool", "magnifier"],
  ["Shift+r", "rotate", 90],
  ["Shift+l", "rotate", -90],
  ["Shift+h", "flip", "horizontal"],
  ["Shift+v", "flip", "vertical"],
  ["Shift+i", "invert"],
  ["Backspace", "delete"],
  ["Delete", "delete"],
  ["Ctrl+z", "undo"],
  ["Ctrl+y", "redo"],
  ["Ctrl+Shift+z", "redo"],
  ["k", "key-image"],
  ["q", "mpr"],
  ["Shift+p", "prior"],
  ["Shift+j", "live"],
  ["Shift+w", "viewed-next"],
  [".", "stage", 1],
  [",", "stage", -1],
  ["Shift+ArrowLeft", "viewport", -1],
  ["Shift+ArrowRight", "viewport", 1],
  ["i", "annotations"],
  ["c", "cine"],
  ["<", "cine-speed", -1],
  [">", "cine-speed", 1],
  ["{", "time", -1],
  ["}", "time", 1],
  ["Shift+s", "subtract"],
  ["Shift+k", "mask-here"],
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
  ["Escape", "cancel-reset"],
  ["m", "maximise"],
  ...Array.from({ length: 9 }, (_, index) => [String(index + 1), "preset", index]),
];

export const KEY_MAPS = { reader: READER, bir: BIR };
const AS_DELIVERED = { ...KEY_MAPS };

/** Gives keys of a map other meanings: {key: [command, argument]}, or null for a key that is to mean nothing. From the map as
 *  delivered; a key has one meaning. */
export function rebind(name, changed = {}) {
  const kept = AS_DELIVERED[name].filter(([key]) => !(key in changed));
  const added = Object.entries(changed).filter(([, meant]) => meant).map(([key, [command, argument]]) => (argument === undefined ? [key, command] : [key, command, argument]));
  KEY_MAPS[name] = [...kept, ...added];
}
export const KEY_MAP_TITLES = { reader: "Reader", bir: "BIR (IHE Basic Image Review)" };

const SHOWN = { " ": "Space", ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", PageUp: "PgUp", PageDown: "PgDn", Escape: "Esc" };

/** A key as a person reads it. */
export function keyLabel(key) {
  const parts = key.split(/\+(?=.)/);
  const last = parts.pop();
  return [...parts, SHOWN[last] ?? (last.length === 1 ? last.toUpperCase() : last)].join("+");
}

/** How a row names what was pressed: "w", "Ctrl+z", "Shift+ArrowLeft", "+". */
export function pressed({ key = "", ctrlKey = false, metaKey = false, shiftKey = false }) {
  const letter = key.length === 1 && key.toLowerCase() !== key.toUpperCase();
  const name = letter ? key.toLowerCase() : key;
  const shift = shiftKey && (letter || key.length > 1);
  return `${ctrlKey || metaKey ? "Ctrl+" : ""}${shift ? "Shift+" : ""}${name}`;
}

function typing(target) {
  return Boolean(target?.closest?.("input:not([type=checkbox]):not([type=radio]), select, textarea, [contenteditable=true]"));
}

/** {command, argument} for a key press, or null: while typing, with Alt, or for a key that means nothing here. */
export function commandFor(event, map = READER) {
  if (event.altKey || event.isComposing || typing(event.target)) return null;
  const name = pressed(event);
  const row = map.find(([named]) => named === name);
  return row ? { command: row[1], argument: row[2] } : null;
}

/** The keys of a command, for tooltips: ["R"]. */
export function keysOf(command, argument, map = READER) {
  return map.filter(([, name, value]) => name === command && (argument === undefined || value === argument)).map(([key]) => keyLabel(key));
}
