// Who is asked for a curve, and what waits meanwhile: the kernel, and made-up sources that answer
// at once or later.

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { ANSWER_TIME, Asking, BUSY_TIME } from "../../resnet_lesson/widgets/explorer/asking.js";
import { KernelSource } from "../../resnet_lesson/widgets/explorer/sources.js";

/** A source that answers at once, with the depth it was asked for. */
const prompt = (name, asked = []) => ({
  redraws: false,
  asked,
  ask(wanted) {
    asked.push(wanted.depth);
    return answerOf(name, wanted);
  },
});
const answerOf = (name, setting) => ({
  setting,
  curve: { layers: [setting.depth], values: [0], label: name },
  described: { shape: "level" },
});

/** A source that answers when it is told to. */
function slow() {
  const asked = [];
  const keeps = [];
  return {
    redraws: true,
    asked,
    woken: 0,
    ask(wanted, shown) {
      if (wanted.depth === shown.depth) return null;
      asked.push(wanted.depth);
      return new Promise((keep) => keeps.push(() => keep(answerOf("slow", wanted))));
    },
    wake() {
      this.woken += 1;
    },
    async answers() {
      keeps.shift()();
      await tick();
    },
  };
}
const tick = () => new Promise((done) => setImmediate(done));

/** An explorer without a page: what it shows, and what came to it. */
function explorerWith(standIn) {
  const seen = { setting: { depth: 0 }, answers: [], settled: 0, busy: [] };
  seen.asking = new Asking(standIn, {
    shown: () => seen.setting,
    take(answer) {
      seen.setting = answer.setting;
      seen.answers.push(`${answer.curve.label} ${answer.setting.depth}`);
    },
    settled() {
      seen.settled += 1;
    },
    busy: (is) => seen.busy.push(is),
  });
  return seen;
}

beforeEach(() => mock.timers.reset());

test("the stand-in answers at once", () => {
  const seen = explorerWith(prompt("grid"));
  seen.asking.request({ depth: 5 });
  assert.deepEqual([seen.answers, seen.settled, seen.asking.waits], [["grid 5"], 1, false]);
});

test("one question at a time, and of those that wait the newest is the next", async () => {
  const [source, seen] = [slow(), explorerWith(prompt("grid"))];
  seen.asking.source = source;
  for (const depth of [1, 2, 3, 4]) seen.asking.request({ depth });
  assert.deepEqual(source.asked, [1]);
  assert.ok(seen.asking.waits);
  await source.answers();
  assert.deepEqual([source.asked, seen.settled], [[1, 4], 0]); // the reader's hand still leads
  await source.answers();
  assert.deepEqual([seen.answers, seen.settled], [["slow 1", "slow 4"], 1]);
  assert.ok(!seen.asking.waits);
  seen.asking.stop();
});

test("what is shown already is not asked for", () => {
  const [source, seen] = [slow(), explorerWith(prompt("grid"))];
  seen.asking.source = source;
  seen.asking.request({ depth: 0 });
  assert.deepEqual([source.asked, seen.asking.waits, seen.answers], [[], false, []]);
});

test("a wish that is fulfilled already settles", async () => {
  const [source, seen] = [slow(), explorerWith(prompt("grid"))];
  seen.asking.source = source;
  for (const depth of [1, 2, 1]) seen.asking.request({ depth });
  await source.answers();
  assert.deepEqual([source.asked, seen.settled, seen.asking.waits], [[1], 1, false]);
});

test("a silent source is given up: the stand-in answers the newest wish", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const [source, standIn] = [slow(), prompt("grid")];
  const seen = explorerWith(standIn);
  seen.asking.source = source;
  seen.asking.request({ depth: 7 });
  seen.asking.request({ depth: 8 });
  mock.timers.tick(ANSWER_TIME - 1);
  assert.deepEqual([seen.answers, source.woken], [[], 0]);
  mock.timers.tick(1);
  assert.deepEqual([seen.answers, source.woken], [["grid 8"], 1]);
  seen.asking.request({ depth: 9 });
  await source.answers(); // too late
  assert.deepEqual(seen.answers, ["grid 8", "grid 9"]);
  assert.deepEqual(source.asked, [7]);
});

test("the reader is told of an answer that takes its time, and of no other", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const [source, seen] = [slow(), explorerWith(prompt("grid"))];
  seen.asking.source = source;
  seen.asking.request({ depth: 7 });
  mock.timers.tick(BUSY_TIME - 1);
  assert.ok(!seen.busy.includes(true));
  mock.timers.tick(1);
  assert.equal(seen.busy.at(-1), true);
  await source.answers();
  assert.equal(seen.busy.at(-1), false);
});

test("a kernel that has gone is given up at once", async () => {
  const [source, seen] = [slow(), explorerWith(prompt("grid"))];
  seen.asking.source = source;
  seen.asking.request({ depth: 7 });
  seen.asking.request({ depth: 8 });
  seen.asking.giveUp();
  assert.deepEqual([seen.answers, seen.asking.waits], [["grid 8"], false]);
  seen.asking.source = source;
  seen.asking.giveUp(); // nothing waits: the picture stays as it is
  assert.deepEqual([seen.answers, seen.asking.source === source], [["grid 8"], false]);
});

test("another source is asked what the first has not answered yet", async () => {
  const [first, second, seen] = [slow(), slow(), explorerWith(prompt("grid"))];
  seen.asking.source = first;
  seen.asking.request({ depth: 7 });
  seen.asking.turnTo(second);
  assert.deepEqual([second.asked, seen.answers], [[7], []]);
  await first.answers(); // too late
  assert.deepEqual(seen.answers, []);
  await second.answers();
  assert.deepEqual([seen.answers, seen.settled], [["slow 7"], 1]);
  seen.asking.turnTo(first); // nothing waits
  assert.deepEqual(first.asked, [7]);
});

test("a source that is back is asked again", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const [source, seen] = [slow(), explorerWith(prompt("grid"))];
  seen.asking.source = source;
  seen.asking.request({ depth: 7 });
  mock.timers.tick(ANSWER_TIME);
  seen.asking.source = source;
  seen.asking.request({ depth: 3 });
  assert.deepEqual(source.asked, [7, 3]);
  mock.timers.tick(ANSWER_TIME - 1); // the clock began anew
  assert.ok(seen.asking.waits);
  seen.asking.stop();
});

test("nothing is waited for once the explorer is gone", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const [source, seen] = [slow(), explorerWith(prompt("grid"))];
  seen.asking.source = source;
  seen.asking.request({ depth: 7 });
  seen.asking.stop();
  mock.timers.tick(2 * ANSWER_TIME);
  assert.deepEqual([seen.answers, source.woken], [[], 0]);
});

/** A model that keeps what is set, and what was sent. */
function modelOf(traits) {
  const sent = [];
  return {
    traits,
    sent,
    get: (name) => traits[name],
    set(name, value) {
      traits[name] = value;
    },
    save_changes: () => sent.push({ ...traits }),
    send: (content) => sent.push(content),
  };
}

test("the kernel hears of what has changed, in one message, and answers by the model", async () => {
  const model = modelOf({ depth: 20, kind: "dense", curve: "old", described: "old" });
  const kernel = new KernelSource(model);
  assert.equal(kernel.ask({ depth: 20, kind: "dense" }, { depth: 20, kind: "dense" }), null);
  assert.deepEqual(model.sent, []);
  const asked = kernel.ask({ depth: 21, kind: "dense" }, { depth: 20, kind: "dense" });
  assert.deepEqual(model.sent, [{ depth: 21, kind: "dense", curve: "old", described: "old" }]);
  Object.assign(model.traits, { curve: "new", described: "said" });
  kernel.answered({ depth: 21, kind: "dense" });
  const { setting, curve, described, note } = await asked;
  assert.deepEqual([setting.depth, curve, described, note], [21, "new", "said", undefined]);
  kernel.answered({ depth: 5 }); // nobody has asked: Python set a trait
  kernel.wake();
  assert.equal(model.sent.at(-1), "hello");
});

test("a kernel that is asked hears from the browser until it has answered", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const model = modelOf({ depth: 20 });
  const kernel = new KernelSource(model);
  const heard = () => model.sent.filter((content) => content === "waiting").length;
  const ask = (depth) => kernel.ask({ depth }, { depth: 20 });
  ask(21);
  mock.timers.tick(12);
  assert.equal(heard(), 1);
  kernel.answered({ depth: 21 });
  mock.timers.tick(1000);
  assert.equal(heard(), 1);
  ask(22);
  mock.timers.tick(1000);
  assert.equal(heard(), 3);
});
