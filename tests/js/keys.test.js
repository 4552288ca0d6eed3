import { commandFor, KEY_MAPS, keysOf, rebind } from "/static/viewer/keys.js";
import { equal, ok, test } from "./harness.js";

const press = (key, more = {}) => ({ key, target: document.body, ...more });

test("the Reader map holds every key that readers were promised", () => {
  const wanted = {
    z: ["tool", "zoom"],
    "+": ["zoom", 1.25],
    "-": ["zoom", 0.8],
    "=": ["fit", undefined],
    r: ["rotate", 90],
    l: ["rotate", -90],
    h: ["flip", "horizontal"],
    v: ["flip", "vertical"],
    c: ["cine", undefined],
    i: ["invert", undefined],
    ArrowLeft: ["viewport", -1],
    ArrowRight: ["viewport", 1],
    ArrowUp: ["frame", -1],
    ArrowDown: ["frame", 1],
    Home: ["end", "first"],
    End: ["end", "last"],
    PageUp: ["series", -1],
    PageDown: ["series", 1],
    " ": ["reset", undefined],
    Escape: ["cancel", undefined],
    1: ["preset", 0],
    9: ["preset", 8],
    "?": ["help", undefined],
  };
  for (const [key, [command, argument]] of Object.entries(wanted)) {
    equal(commandFor(press(key), KEY_MAPS.reader), { command, argument }, key);
  }
});

test("letters mean the same in either case", () => equal(commandFor(press("R")), commandFor(press("r"))));

test("keys of the browser and of the system stay theirs", () => {
  for (const name of ["ctrlKey", "metaKey", "altKey"]) equal(commandFor(press("r", { [name]: true })), null);
});

test("Ctrl, Cmd and Shift make other keys of letters, not of signs", () => {
  equal(commandFor(press("z", { ctrlKey: true })), { command: "undo", argument: undefined });
  equal(commandFor(press("z", { metaKey: true })), { command: "undo", argument: undefined });
  equal(commandFor(press("Z", { ctrlKey: true, shiftKey: true })), { command: "redo", argument: undefined });
  equal(commandFor(press("G", { shiftKey: true })), { command: "tool", argument: "cobb" });
  equal(commandFor(press("+", { shiftKey: true })), { command: "zoom", argument: 1.25 });
  equal(keysOf("redo"), ["Ctrl+Y", "Ctrl+Shift+Z"]);
});

test("no key does anything while someone types", () => {
  for (const tag of ["input", "textarea", "select"]) equal(commandFor(press("r", { target: document.createElement(tag) })), null, tag);
});

test("no map gives one key two meanings", () => {
  for (const [name, map] of Object.entries(KEY_MAPS)) equal(new Set(map.map(([key]) => key)).size, map.length, name);
});

test("a tooltip can name the key of a command", () => {
  equal(keysOf("rotate", 90), ["R"]);
  equal(keysOf("reset"), ["Space"]);
  ok(keysOf("nothing").length === 0);
});

test("a reader's keys take the place of those delivered, and go back", () => {
  rebind("reader", { r: ["cine"], x: null, "Ctrl+k": ["preset", 3] });
  equal(commandFor(press("r"), KEY_MAPS.reader), { command: "cine", argument: undefined });
  equal(commandFor(press("x"), KEY_MAPS.reader), null);
  equal(commandFor(press("k", { ctrlKey: true }), KEY_MAPS.reader), { command: "preset", argument: 3 });
  rebind("reader", {});
  equal(commandFor(press("r"), KEY_MAPS.reader), { command: "rotate", argument: 90 });
});
