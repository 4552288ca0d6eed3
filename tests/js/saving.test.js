import { Draft } from "/static/reporting/draft.js";
import { Saver } from "/static/reporting/saving.js";
import { Journal } from "/static/reporting/journal.js";
import { sealOf } from "/static/sealing.js";
import { Lock } from "/static/reporting/lock.js";
import { places } from "/static/reporting/patientband.js";
import { converted, outOfRange, quantity, readNumber } from "/static/reporting/numbers.js";
import { equal, near, ok, test } from "./harness.js";

const text = (id) => ({ id, type: "textarea", label: id, options: [], completion: "NONE", required: false });
const REPORT = {
  id: 7,
  version: 3,
  schema: { sections: [{ id: "findings", title: "Findings", fields: [text("findings")] }, { id: "impression", title: "Impression", fields: [text("impression")] }] },
  content: { findings: "Liver.", impression: "" },
  fills: { findings: "touched" },
  template: { id: 1 },
  context: { study: "1.2" },
};

/** A clock that runs only when it is told to. */
class Clock {
  time = 0;
  timers = new Map();
  count = 0;
  now = () => this.time;
  later = (run, ms) => this.timers.set((this.count += 1), { run, at: this.time + ms }) && this.count;
  cancel = (timer) => this.timers.delete(timer);
  async go(ms) {
    const end = this.time + ms;
    for (;;) {
      const [next] = [...this.timers].filter(([, { at }]) => at <= end).sort((a, b) => a[1].at - b[1].at);
      if (!next) break;
      this.time = Math.max(this.time, next[1].at);
      this.timers.delete(next[0]);
      next[1].run();
      await settle();
    }
    this.time = end;
    await settle();
  }
}

const settle = async () => {
  for (let at = 0; at < 12; at += 1) await Promise.resolve();
};

class Refusal extends Error {
  constructor(status, body = null) {
    super(`refused ${status}`);
    Object.assign(this, { status, body });
  }
}

/** A server of one report, and a journal that remembers in a variable. */
function bench(answer = null) {
  const clock = new Clock();
  const bench = { clock, asked: [], kept: null, server: { version: 3, content: { ...REPORT.content } }, answer, states: [] };
  const ask = async (address, { body }) => {
    bench.asked.push({ at: clock.time, ...structuredClone(body), address });
    const given = bench.answer?.(body);
    if (given instanceof Error) throw given;
    if (given) return given;
    if (body.based_on !== bench.server.version) throw new Refusal(409, { code: "stale", version: bench.server.version, content: bench.server.content, difference: [] });
    bench.server = { version: bench.server.version + 1, content: { ...bench.server.content, ...body.content } };
    return { version: bench.server.version };
  };
  const journal = { keep: async (entry) => (bench.kept = structuredClone(entry)), drop: async () => (bench.kept = null) };
  bench.draft = new Draft(structuredClone(REPORT));
  bench.saver = new Saver({ draft: bench.draft, ask, journal, clock, token: "me", context: () => ({ study: "1.2" }), renew: () => bench.renewed ?? Promise.resolve("out") });
  bench.draft.addEventListener("changed", () => bench.saver.changed());
  bench.saver.addEventListener("state", ({ detail }) => bench.states.push(detail.state));
  bench.type = (value, id = "findings") => bench.draft.set(id, value, "touched");
  return bench;
}

test("what is typed is on the server a moment after the last key, with its patient and the version it was made on", async () => {
  const { clock, type, asked, saver, draft } = bench();
  type("Liver large.");
  await clock.go(2000);
  equal(asked.length, 1);
  ok(asked[0].at <= 1000);
  equal([asked[0].based_on, asked[0].content.findings, asked[0].context, asked[0].token, asked[0].address], [3, "Liver large.", { study: "1.2" }, "me", "/api/reports/7/"]);
  equal([saver.state, draft.version, draft.unsaved], ["saved", 4, []]);
});

test("whoever types on and on is never more than two seconds unsaved", async () => {
  const { clock, type, asked } = bench();
  const typed = [];
  for (let key = 1; key <= 100; key += 1) {
    type("x".repeat(key));
    typed.push({ at: clock.time, text: "x".repeat(key) });
    await clock.go(150);
  }
  await clock.go(2000);
  for (const { at, text: value } of typed) {
    const sent = asked.find((one) => one.content.findings.length >= value.length);
    ok(sent.at - at <= 2000, `${value.length} letters waited ${sent.at - at} ms`);
  }
});

test("the journal has every key at once and forgets when all is saved", async () => {
  const own = bench();
  own.type("L");
  equal([own.kept.content.findings, own.kept.based_on, own.kept.base.findings], ["L", 3, "Liver."]);
  await own.clock.go(1500);
  equal(own.kept, null);
});

test("what is typed during a save is saved after it, on the new version", async () => {
  let release;
  const own = bench();
  own.answer = () => null;
  const slow = new Promise((resolve) => (release = resolve));
  own.saver.ask = ((ask) => async (...given) => {
    await slow;
    return ask(...given);
  })(own.saver.ask);
  own.type("one");
  await own.clock.go(1000);
  own.type("one two");
  release();
  await settle();
  await own.clock.go(3000);
  equal(own.asked.map(({ based_on, content }) => [based_on, content.findings]), [[3, "one"], [4, "one two"]]);
  equal(own.server.content.findings, "one two");
});

test("a broken line keeps the words and sends them by itself when it stands again", async () => {
  const own = bench(() => new Refusal(0));
  own.type("offline words");
  await own.clock.go(10000);
  equal(own.saver.state, "offline");
  equal(own.kept.content.findings, "offline words");
  const tried = own.asked.length;
  ok(tried >= 3 && tried < 12, `${tried} tries`);
  own.answer = null;
  own.saver.retry();
  await own.clock.go(10);
  equal([own.saver.state, own.server.content.findings], ["saved", "offline words"]);
});

test("a server that is busy is the same as a line that is broken", async () => {
  const own = bench(() => new Refusal(503));
  own.type("a");
  await own.clock.go(1500);
  equal(own.saver.state, "offline");
});

test("signed out, it waits for the same person and goes on", async () => {
  const own = bench(() => new Refusal(401));
  own.type("words");
  await own.clock.go(1500);
  equal(own.saver.state, "signed-out");
  own.type("more words");
  await own.clock.go(9000);
  equal(own.asked.length, 1, "nothing is sent for nobody");
  own.answer = null;
  own.renewed = Promise.resolve("Bob is signed in now");
  await own.clock.go(3000);
  equal([own.saver.state, own.saver.problem, own.asked.length], ["signed-out", "Bob is signed in now", 1]);
  own.renewed = Promise.resolve("again");
  await own.clock.go(3500);
  equal([own.saver.state, own.server.content.findings], ["saved", "more words"]);
});

test("a refusal that knows who asks is no sign-out", async () => {
  const own = bench(() => new Refusal(403, { detail: "You may not.", code: "not_yours" }));
  own.type("words");
  await own.clock.go(1500);
  equal([own.saver.state, own.saver.problem], ["refused", "You may not."]);
});

test("an answer that got lost is no conflict: the server holds what was sent", async () => {
  const own = bench();
  own.answer = (body) => {
    if (own.asked.length > 1) return null;
    own.server = { version: 4, content: { ...own.server.content, ...body.content } };
    return new Refusal(0);
  };
  own.type("sent once");
  await own.clock.go(8000);
  equal([own.saver.state, own.draft.version, own.server.version, own.saver.clashes], ["saved", 4, 4, []]);
});

test("changes of another field by somebody else are taken over, mine are saved", async () => {
  const own = bench();
  own.server = { version: 9, content: { findings: "Liver.", impression: "Theirs." } };
  const taken = [];
  own.saver.addEventListener("taken", ({ detail }) => taken.push(...detail.ids));
  own.type("Mine.");
  await own.clock.go(5000);
  equal([own.server.content, taken, own.saver.state, own.draft.content.impression], [{ findings: "Mine.", impression: "Theirs." }, ["impression"], "saved", "Theirs."]);
});

test("the same field changed by both waits for a choice, sends nothing, and loses nothing", async () => {
  const own = bench();
  own.server = { version: 9, content: { findings: "Theirs.", impression: "" } };
  own.type("Mine.");
  await own.clock.go(5000);
  equal([own.saver.state, own.saver.clashes[0].mine, own.saver.clashes[0].theirs, own.saver.clashes[0].base], ["conflict", "Mine.", "Theirs.", "Liver."]);
  equal([own.kept.content.findings, own.server.content.findings, own.asked.length], ["Mine.", "Theirs.", 1]);
  own.saver.settle({ findings: "Mine.\nTheirs." });
  await own.clock.go(2000);
  equal([own.server.content.findings, own.saver.state, own.kept], ["Mine.\nTheirs.", "saved", null]);
});

test("another patient stops every save", async () => {
  const own = bench(() => new Refusal(409, { code: "wrong_patient", detail: "No.", problems: [{ rule: "wrong_patient", level: "block", message: "No." }] }));
  own.type("a");
  await own.clock.go(2000);
  own.type("b");
  await own.clock.go(30000);
  equal([own.saver.state, own.asked.length, own.kept.content.findings], ["wrong-patient", 1, "b"]);
});

test("a lock that is gone stops saving and keeps the words", async () => {
  const own = bench(() => new Refusal(423, { code: "locked", detail: "Bob is writing this report.", lock: { mine: false, by: "Bob" } }));
  const lost = [];
  own.saver.addEventListener("lost", ({ detail }) => lost.push(detail.body.lock.by));
  own.type("a");
  await own.clock.go(2000);
  equal([own.saver.state, lost, own.kept.content.findings], ["lost", ["Bob"], "a"]);
});

test("what an earlier page typed comes back and is saved at once", async () => {
  const own = bench();
  const { ids, clashes } = own.saver.recover({ based_on: 3, base: REPORT.content, content: { findings: "Liver, kept.", impression: "" }, fills: {} });
  equal([ids, clashes, own.draft.content.findings], [["findings"], [], "Liver, kept."]);
  await own.clock.go(50);
  equal([own.server.content.findings, own.saver.state], ["Liver, kept.", "saved"]);
});

test("an entry that the server has already is dropped without a word", async () => {
  const own = bench();
  own.kept = {};
  equal(own.saver.recover({ based_on: 2, base: {}, content: { ...REPORT.content } }), { ids: [], clashes: [] });
  equal([own.kept, own.saver.state, own.asked.length], [null, "saved", 0]);
});

test("a recovered text that meets a newer one of the same field is a choice", () => {
  const own = bench();
  const { ids, clashes } = own.saver.recover({ based_on: 2, base: { findings: "" }, content: { findings: "Old words." } });
  equal([ids, clashes.map(({ mine, theirs }) => [mine, theirs]), own.saver.state], [[], [["Old words.", "Liver."]], "conflict"]);
});

test("the journal in the browser keeps each writer's words apart and the newest of each report", async () => {
  const [mine, other] = [new Journal("alice"), new Journal("bob")];
  await mine.drop(7);
  for (let at = 0; at <= 50; at += 1) mine.keep({ report: 7, content: { findings: String(at) } });
  equal((await mine.of(7)).content.findings, "50");
  equal(await other.of(7), null);
  equal((await mine.all()).map(({ report }) => report), [7]);
  await mine.drop(7);
  equal(await mine.of(7), null);
});

test("what is kept with a seal is read by that seal alone, and lies on the disk as nothing that can be read", async () => {
  const keys = [1, 2].map((byte) => btoa(String.fromCharCode(...new Uint8Array(32).fill(byte))));
  const [mine, foreign] = await Promise.all(keys.map((key) => sealOf(key)));
  const journal = new Journal("alice", mine);
  await journal.keep({ report: 8, content: { findings: "Geheim." } });
  equal([(await journal.of(8)).content.findings, (await journal.all()).length], ["Geheim.", 1]);
  const rows = await new Promise((resolve) => {
    indexedDB.open("farview-reports").onsuccess = ({ target }) => {
      const asked = target.result.transaction("typed").objectStore("typed").getAll();
      asked.onsuccess = () => resolve(JSON.stringify(asked.result));
    };
  });
  equal([rows.includes("Geheim"), rows.includes("alice/8")], [false, true]);
  for (const other of [new Journal("alice", foreign), new Journal("alice")]) equal([await other.of(8), await other.all()], [null, []]);
  equal((await journal.of(8)).content.findings, "Geheim.", "whoever cannot read it leaves it");
  await journal.drop(8);
  equal([await sealOf(""), await sealOf(keys[0], null)], [null, null]);
});

test("a browser that keeps nothing says so and goes on", async () => {
  const journal = new Journal("alice", null, { open: () => { throw new Error("no room"); } });
  equal([await journal.keep({ report: 1 }), journal.broken, await journal.of(1), await journal.all()], [false, true, null, []]);
});

test("only a clear no ends the lock", async () => {
  const answers = [new Refusal(0), new Refusal(503), { lock: { mine: true } }, new Refusal(423, { lock: { by: "Bob" } })];
  const lost = [];
  const lock = new Lock({ ask: async () => { const next = answers.shift(); if (next instanceof Error) throw next; return next; }, report: 7, token: "me", every: 1e9 });
  lock.addEventListener("lost", ({ detail }) => lost.push(detail.by));
  lock.adopt({ mine: true });
  for (let at = 0; at < 3; at += 1) await lock.beat();
  equal(lost, []);
  await lock.beat();
  equal([lost, lock.mine], [["Bob"], false]);
  lock.stop();
});

test("patients get places by who came first; one alone gets none", () => {
  equal(places([{ patient: "a", since: 5 }, { patient: "a", since: 9 }]), new Map());
  equal([...places([{ patient: "b", since: 7 }, { patient: "a", since: 9 }, { patient: "b", since: 12 }])], [["b", 0], ["a", 1]]);
});

test("numbers are read with point or comma and with their unit", () => {
  equal(["12", "12,5", "12.5 mm", "-3", "", "  ", ".5", "1e3", "twelve"].map((one) => readNumber(one, "mm")), [12, 12.5, 12.5, -3, null, null, 0.5, NaN, NaN]);
  equal([quantity("12.3 mm"), quantity("45.1 mm x 30.2 mm")?.value, quantity("image 12")], [{ value: 12.3, unit: "mm" }, 45.1, null]);
  near(converted(12.3, "mm", "cm"), 1.23);
  equal([converted(5, "HU", "mm"), converted(5, "HU", ""), converted(5, "HU", "HU")], [null, 5, 5]);
  ok(outOfRange(201, { minimum: 0, maximum: 200 }) && !outOfRange(200, { minimum: 0, maximum: 200 }) && !outOfRange(5, {}));
});
