import { CineClock, CineCount, durations } from "/static/viewer/cine.js";
import { equal, near, test } from "./harness.js";

test("times come from the file, one for all or one each", () => {
  equal(durations({ frame_time_ms: 40 }, 3), [40, 40, 40]);
  equal(durations([40], 3), [40, 40, 40]);
  equal(durations([33, 50, 100], 3), [33, 50, 100]);
});

test("without times a plain rate is used, and nonsense is no time", () => {
  equal(durations(null, 2, 10), [100, 100]);
  equal(durations([0, -1, NaN], 3, 10), [100, 100, 100]);
});

test("a vector whose first entry is zero shows the first frame as long as the next", () => equal(durations([0, 40, 60], 3), [40, 40, 60]));

test("no frame is shorter than a screen could show", () => equal(durations({ frame_time_ms: 0.1 }, 2), [5, 5]));

test("each frame is due for exactly its own time, and the clip loops", () => {
  const clock = new CineClock([100, 200, 50], 0, 1000);
  const frames = [1000, 1099, 1100, 1299, 1300, 1349, 1350, 1450].map((now) => clock.due(now).frame);
  equal(frames, [0, 0, 1, 1, 2, 2, 0, 1]);
  equal(clock.due(1350).step, 3);
});

test("a clip begins where the reader stands", () => equal(new CineClock([10, 10, 10], 2, 0).due(0).frame, 2));

test("a sweep goes there and back without showing the ends twice", () => {
  const clock = new CineClock([10, 10, 10, 10], 0, 0, { sweep: true });
  equal(Array.from({ length: 8 }, (_, step) => clock.due(step * 10).frame), [0, 1, 2, 3, 2, 1, 0, 1]);
});

test("a late page skips frames instead of slowing down", () => {
  const clock = new CineClock(Array(30).fill(20), 0, 0);
  equal(clock.due(100).frame, 5);
  equal(clock.due(20 * 30 * 10).frame, 0);
});

test("a frame that a later one overtook was dropped, one that came late was not", () => {
  const count = new CineCount();
  for (let step = 0; step < 6; step += 1) count.ask(step, step + 10);
  count.paint(10, 0);
  count.paint(13, 50);
  count.paint(14, 90);
  equal([count.due, count.dropped], [6, 2]);
});

test("steps that were never asked for were dropped too", () => {
  const count = new CineCount();
  count.ask(0, 0);
  count.ask(4, 4);
  count.paint(0, 0);
  count.paint(4, 1);
  equal([count.due, count.dropped], [5, 3]);
});

test("a picture of another frame, or the same one again without loss, counts for nothing", () => {
  const count = new CineCount();
  count.ask(0, 7);
  count.paint(7, 0);
  count.paint(7, 5);
  count.paint(99, 9);
  equal([count.dropped, count.painted.length], [0, 1]);
});

test("the rate is what was painted over the last seconds", () => {
  const count = new CineCount();
  for (let step = 0; step <= 125; step += 1) {
    count.ask(step, step);
    count.paint(step, step * 40);
  }
  near(count.rate(), 25, 0.5);
});
