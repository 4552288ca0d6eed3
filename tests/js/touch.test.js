import { Gestures } from "/static/viewer/touch.js";
import { equal, near, test } from "./harness.js";

function hands() {
  const seen = [];
  let now = 0;
  const timers = new Map();
  const names = ["dragStart", "dragMove", "dragEnd", "pinch", "scroll", "tap", "doubleTap", "longPress"];
  const handlers = Object.fromEntries(names.map((name) => [name, (detail) => seen.push([name, detail])]));
  const clock = {
    now: () => now,
    later: (run, after) => timers.set(run, now + after) && run,
    forget: (run) => timers.delete(run),
  };
  const pass = (time) => {
    now += time;
    for (const [run, due] of [...timers]) {
      if (due > now) continue;
      timers.delete(run);
      run();
    }
  };
  return { gestures: new Gestures(handlers, clock), seen, pass, named: () => seen.map(([name]) => name) };
}

test("one finger that moves is a drag from where it began", () => {
  const { gestures, seen, named } = hands();
  gestures.down(1, { x: 10, y: 10 });
  gestures.move(1, { x: 40, y: 10 });
  gestures.move(1, { x: 50, y: 10 });
  gestures.up(1);
  equal(named(), ["dragStart", "dragMove", "dragMove", "dragEnd"]);
  equal([seen[0][1].x, seen[2][1].x], [10, 50]);
});

test("two fingers pinch and pan, and never drag", () => {
  const { gestures, seen, named } = hands();
  gestures.down(1, { x: 100, y: 100 });
  gestures.down(2, { x: 200, y: 100 });
  gestures.move(2, { x: 300, y: 100 });
  equal(named(), ["pinch"]);
  near(seen[0][1].factor, 2);
  near(seen[0][1].dx, 50);
});

test("the finger that stays after a pinch does nothing", () => {
  const { gestures, named } = hands();
  gestures.down(1, { x: 100, y: 100 });
  gestures.down(2, { x: 200, y: 100 });
  gestures.up(2);
  gestures.move(1, { x: 400, y: 400 });
  gestures.up(1);
  equal(named(), []);
});

test("three fingers scroll", () => {
  const { gestures, named } = hands();
  for (const id of [1, 2, 3]) gestures.down(id, { x: id * 50, y: 100 });
  for (const id of [1, 2, 3]) gestures.move(id, { x: id * 50, y: 160 });
  equal(new Set(named()), new Set(["scroll"]));
});

test("two quick taps are a double tap, two slow ones are not", () => {
  const { gestures, named, pass } = hands();
  const tap = () => {
    gestures.down(1, { x: 10, y: 10 });
    pass(50);
    gestures.up(1);
    pass(100);
  };
  tap();
  tap();
  equal(named(), ["tap", "doubleTap"]);
  pass(1000);
  tap();
  pass(1000);
  tap();
  equal(named().slice(2), ["tap", "tap"]);
});

test("a long press opens the menu and is no tap", () => {
  const { gestures, named, pass } = hands();
  gestures.down(1, { x: 10, y: 10 });
  pass(600);
  gestures.up(1);
  equal(named(), ["longPress"]);
});

test("a finger that trembles is still a tap", () => {
  const { gestures, named, pass } = hands();
  gestures.down(1, { x: 10, y: 10 });
  gestures.move(1, { x: 12, y: 11 });
  pass(80);
  gestures.up(1);
  equal(named(), ["tap"]);
});

test("a cancelled touch ends its drag", () => {
  const { gestures, named } = hands();
  gestures.down(1, { x: 10, y: 10 });
  gestures.move(1, { x: 60, y: 10 });
  gestures.cancel(1);
  equal(named(), ["dragStart", "dragMove", "dragEnd"]);
});

test("a drag that a second finger joins is given up where that can be, else ended", () => {
  for (const name of ["dragCancel", "dragEnd"]) {
    const seen = [];
    const gestures = new Gestures({ [name]: () => seen.push(name), pinch: () => seen.push("pinch") });
    gestures.down(1, { x: 10, y: 10 });
    gestures.move(1, { x: 60, y: 10 });
    gestures.down(2, { x: 200, y: 10 });
    gestures.move(2, { x: 260, y: 10 });
    equal(seen, [name, "pinch"]);
  }
});
