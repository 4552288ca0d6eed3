import { chip, edited, linkAt, parse, part, plain, shifted, shownPlace, write } from "/static/reporting/chips.js";
import { nextPlace, placesOf } from "/static/reporting/places.js";
import { equal, ok, test } from "./harness.js";

const LONG = "[[measurement:2.25.7/long|45.1 mm]]";
const IMAGE = "[[key_image:2.25.8|image 12, series 3]]";
const RAW = `Mass of ${LONG} (${IMAGE}) in segment VI.`;

/** What typing `put` over [from, to) of the shown text makes of it. */
function typed(shown, from, to, put) {
  const now = shown.text.slice(0, from) + put + shown.text.slice(to);
  return { now, ...edited(shown, now, from + put.length) };
}

test("a text with links reads as their words and is written back letter by letter", () => {
  const shown = parse(RAW);
  equal(shown.text, "Mass of 45.1 mm (image 12, series 3) in segment VI.");
  equal(shown.links.map(({ kind, uid, value, start, end }) => [kind, uid, value, shown.text.slice(start, end)]), [
    ["measurement", "2.25.7", "long", "45.1 mm"],
    ["key_image", "2.25.8", "", "image 12, series 3"],
  ]);
  equal(write(shown), RAW);
  equal(plain(RAW), shown.text);
});

test("what only looks like a link stays text", () => {
  for (const raw of ["[[", "[[key_image:|x]]", "[[key_image:1.2]]", "[[key_image:1.2|a[b]]", "[[other:1.2|x]]", "[ ] [[x]] ***", "", "[[measurement:1.2/|x]]"]) {
    equal(parse(raw), { text: raw, links: [] }, raw);
    equal(write(parse(raw)), raw);
  }
});

test("brackets around a link do not swallow it", () => {
  for (const raw of [`[${LONG}]`, `[[${LONG}]]`, `[[key_image:1|${LONG}]]`, `${LONG}${IMAGE}`]) {
    equal(write(parse(raw)), raw);
    ok(parse(raw).links.length >= 1, raw);
  }
});

test("typing before, behind and between links moves them and breaks none", () => {
  const shown = parse(RAW);
  for (const [from, to, put] of [[0, 0, "A "], [8, 8, "4"], [15, 15, "m"], [15, 15, "5"], [16, 16, "("], [4, 7, ""], [50, 51, "!"]]) {
    const { now, links, broken } = typed(shown, from, to, put);
    equal(broken, [], `${from}-${to} ${put}`);
    equal(links.map(({ start, end }) => now.slice(start, end)), ["45.1 mm", "image 12, series 3"], `${from}-${to} ${put}`);
  }
});

test("the same digit typed right before a number is not part of it", () => {
  const shown = parse("[[measurement:1.2|11.1 mm]]");
  const { now, links, broken } = typed(shown, 0, 0, "1");
  equal([now, links.map(({ start, end }) => [start, end]), broken.length], ["111.1 mm", [[1, 8]], 0]);
});

test("a changed number is no link any more, and what it was is known", () => {
  const shown = parse(RAW);
  for (const [from, to, put] of [[9, 10, "6"], [12, 12, "0"], [8, 9, ""], [13, 15, ""], [5, 9, ""], [12, 20, "x"]]) {
    const { now, links, broken } = typed(shown, from, to, put);
    equal(broken.map(({ uid, words }) => [uid, words])[0], ["2.25.7", "45.1 mm"], `${from}-${to} ${put}`);
    ok(!links.some(({ uid }) => uid === "2.25.7"));
    ok(now.length >= broken[0].end && broken[0].start <= broken[0].end, "its place is in the text");
  }
});

test("the words for a picture may be changed; the link stays", () => {
  const shown = parse(IMAGE);
  const { now, links, broken } = typed(shown, 6, 8, "13");
  equal([write({ text: now, links }), broken], ["[[key_image:2.25.8|image 13, series 3]]", []]);
  equal(typed(shown, 6, 8, "[").broken.length, 1);
});

test("a link that is selected with its surroundings and deleted is gone without a word", () => {
  const { links, broken } = typed(parse(RAW), 5, 17, "");
  equal([links.map(({ kind }) => kind), broken], [["key_image"], []]);
});

test("a piece of the text carries its whole links along", () => {
  const shown = parse(RAW);
  equal(write(part(shown, 0, 16)), `Mass of ${LONG} `);
  equal(write(part(shown, 10, 16)), ".1 mm ");
});

test("marks move with the text and go when they are touched", () => {
  const was = { text: "a 45 mm b" };
  equal(shifted([{ start: 2, end: 7 }], was, "aa 45 mm b", 1), [{ start: 3, end: 8 }]);
  equal(shifted([{ start: 2, end: 7 }], was, "a 46 mm b", 4), []);
});

test("a place that the server counts in code points is found in what is shown", () => {
  const raw = `😀 ${LONG} and left kidney`;
  const text = plain(raw);
  const stored = [...raw].join("").indexOf("left");
  const points = [...raw.slice(0, stored)].length;
  equal(text.slice(shownPlace(raw, points), shownPlace(raw, points + 4)), "left");
  equal(shownPlace(raw, 0), 0);
  equal(text.slice(shownPlace(raw, [..."😀 "].length)), "45.1 mm and left kidney");
  equal(shownPlace(raw, [...raw].length), text.length);
});

test("the link at a place is that which the caret touches", () => {
  const { links } = parse(RAW);
  equal([7, 8, 12, 15, 16].map((place) => linkAt(links, place)?.uid ?? ""), ["", "2.25.7", "2.25.7", "2.25.7", ""]);
  equal(chip({ kind: "measurement", uid: "1", value: "" }, "3 mm"), "[[measurement:1|3 mm]]");
});

test("places to fill are found forwards and backwards", () => {
  const text = "Size [ ] mm, *** side, [x], []";
  equal(placesOf(text).map(({ start, end }) => text.slice(start, end)), ["[ ]", "***", "[]"]);
  equal([nextPlace(text, 0), nextPlace(text, 6), nextPlace(text, 30), nextPlace(text, 30, true)?.start, nextPlace(text, 2, true)], [{ start: 5, end: 8 }, { start: 13, end: 16 }, null, 28, null]);
});
