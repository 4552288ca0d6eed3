import { backoff, Connection } from "/static/viewer/connection.js";
import { equal, ok, test } from "./harness.js";

/** A socket in our hands: `said` is what the page sent, `hear` what it is told. */
class Line {
  constructor() {
    this.readyState = 0;
    this.said = [];
  }

  send(text) {
    this.said.push(JSON.parse(text));
  }

  stand() {
    this.readyState = 1;
    this.onopen();
  }

  hear(message) {
    this.onmessage({ data: JSON.stringify(message) });
  }

  frame(header) {
    const head = new TextEncoder().encode(JSON.stringify({ type: "frame", change: 0, exact: false, view: {}, ...header }));
    const bytes = new Uint8Array(4 + head.length);
    new DataView(bytes.buffer).setUint32(0, head.length);
    bytes.set(head, 4);
    this.onmessage({ data: bytes.buffer });
  }

  close(code = 1006) {
    this.readyState = 3;
    this.onclose({ code });
  }

  of(type) {
    return this.said.filter((message) => message.type === type);
  }
}

function connected(handlers = {}, options = {}) {
  const lines = [];
  const connection = new Connection("ws://nowhere", { makeSocket: () => (lines.push(new Line()), lines.at(-1)), ...options });
  const seen = [];
  connection.connect();
  lines[0].stand();
  const channel = connection.open("1.2.3", { frame: 5 }, { frame: (header) => seen.push(header.index), ...handlers });
  return { connection, channel, lines, seen, newest: () => lines.at(-1) };
}

const nextFrame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
const until = async (look) => {
  for (let tries = 0; tries < 300 && !look(); tries += 1) await new Promise((done) => setTimeout(done, 10));
  ok(look(), "it did not come");
};

test("changes of one animation frame are one message, and the newest of them counts", async () => {
  const { channel, lines } = connected();
  channel.change({ frame: 6 });
  channel.change({ frame: 7 });
  channel.change({ window_center: 1, window_width: 2 });
  await nextFrame();
  const sent = lines[0].of("view.change");
  equal(sent.length, 1);
  equal([sent[0].change, sent[0].view], [1, { frame: 7, window_center: 1, window_width: 2 }]);
  ok(!("index" in sent[0]));
});

test("the wish is what was drawn and every change since", async () => {
  const { channel, lines } = connected();
  lines[0].frame({ viewport: channel.name, index: 1, view: { frame: 5, zoom: 1, sop_instance_uid: "1" } });
  channel.change({ frame: 6 });
  await nextFrame();
  channel.change({ zoom: 2 });
  equal(channel.wish, { frame: 6, zoom: 2 });
  ok(!channel.settled);
});

test("a frame settles the changes that it counts in, and no other", async () => {
  const { channel, lines } = connected();
  channel.change({ frame: 6 });
  await nextFrame();
  channel.change({ frame: 7 });
  await nextFrame();
  lines[0].frame({ viewport: channel.name, index: 1, change: 1, view: { frame: 6 } });
  equal([channel.settled, channel.wish.frame], [false, 7]);
  lines[0].frame({ viewport: channel.name, index: 2, change: 2, view: { frame: 7 } });
  equal([channel.settled, channel.wish.frame], [true, 7]);
});

test("acknowledgements only go forward", () => {
  const { channel, lines } = connected();
  for (const index of [3, 2, 3, 4]) channel.shown(index);
  equal(lines[0].of("frame.shown").map(({ index }) => index), [3, 4]);
});

test("a lost line comes back by itself and opens from the newest wish under a new name", async () => {
  const { connection, channel, lines, newest } = connected();
  lines[0].frame({ viewport: channel.name, index: 9, exact: true, view: { frame: 5, rotation: 90 } });
  const before = channel.name;
  lines[0].close();
  equal(connection.state, "reconnecting");
  channel.change({ frame: 8 });
  await until(() => lines.length === 2);
  newest().stand();
  const [opened] = newest().of("series.open");
  equal([opened.series, opened.view], ["1.2.3", { rotation: 90, frame: 8 }]);
  ok(opened.viewport !== before);
  ok(!channel.settled, "the old picture does not answer the new wish");
  newest().frame({ viewport: channel.name, index: 1, view: { frame: 8, rotation: 90 } });
  ok(channel.settled);
});

test("a frame under an old name reaches nobody", async () => {
  const { channel, lines, seen } = connected();
  lines[0].frame({ viewport: "v999", index: 1 });
  lines[0].frame({ viewport: channel.name, index: 2 });
  equal(seen, [2]);
});

test("a refused change is taken back, one that gave no picture stands", async () => {
  const { channel, lines } = connected();
  lines[0].frame({ viewport: channel.name, index: 1, view: { frame: 5 } });
  channel.change({ zoom: 1e9 });
  await nextFrame();
  lines[0].hear({ type: "error", code: "bad_view", message: "zoom", viewport: channel.name });
  equal(channel.wish, { frame: 5 });
  channel.change({ plane: "coronal" });
  await nextFrame();
  lines[0].hear({ type: "error", code: "too_large", message: "volume", viewport: channel.name });
  equal([channel.wish, channel.settled], [{ frame: 5 }, true]);
  channel.change({ frame: 6 });
  await nextFrame();
  lines[0].hear({ type: "error", code: "cannot_decode", message: "damaged", viewport: channel.name });
  equal([channel.wish.frame, channel.settled], [6, false]);
});

test("whoever is signed out is not connected again", async () => {
  for (const end of [(line) => line.close(4401), (line) => line.hear({ type: "error", code: "signed_out", message: "", viewport: null })]) {
    const { connection, lines } = connected();
    end(lines[0]);
    await nextFrame();
    equal(connection.state, "signed_out");
    await new Promise((done) => setTimeout(done, 400));
    equal(lines.length, 1);
  }
});

test("waiting grows, has an end, and is not the same for everyone", () => {
  equal([0, 1, 2].map((attempt) => backoff(attempt, 0)), [250, 500, 1000]);
  equal(backoff(30, 0), 8000);
  ok(backoff(3, 1) > backoff(3, 0));
});

test("closing says so once and forgets", () => {
  const { connection, channel, lines } = connected();
  channel.close();
  channel.close();
  equal(lines[0].of("viewport.close").length, 1);
  equal(connection.channels.size, 0);
});

test("an answer to a measurement finds its question, an error with its id troubles no picture, a lost line answers nothing", async () => {
  const errors = [];
  const { channel, lines } = connected({ error: (message) => errors.push(message) });
  const [first, second] = [channel.measure(3, "length", [[0, 0], [1, 1]]), channel.measure(3, "probe", [[0, 0]])];
  const [one, two] = lines[0].of("measure");
  equal([one.index, one.kind, one.points, one.viewport], [3, "length", [[0, 0], [1, 1]], channel.name]);
  ok(one.id !== two.id);
  lines[0].hear({ type: "error", code: "cannot_measure", message: "no", viewport: channel.name, id: two.id });
  lines[0].hear({ type: "measure.result", viewport: channel.name, id: one.id, values: { length: { value: 1 } } });
  equal([(await first).values.length.value, (await second).message, errors], [1, "no", []]);
  const third = channel.measure(4, "length", [[0, 0], [1, 1]]);
  channel.close();
  equal(await third, null);
  equal(await channel.measure(4, "length", []), null);
});
