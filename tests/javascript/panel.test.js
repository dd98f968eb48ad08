// A training's recording: decoding, words, who it comes from, and its replay.

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import * as recording from "../../resnet_lesson/widgets/panel/recording.js";
import { Replay } from "../../resnet_lesson/widgets/panel/replay.js";
import {
  KernelSource,
  RecordedSource,
  SILENCE,
} from "../../resnet_lesson/widgets/panel/sources.js";
import * as words from "../../resnet_lesson/widgets/panel/words.js";

const { decadesOf, Run, Strip, Training } = recording;
const SCALE = {
  columns: 4,
  opening: 2,
  per_decade: 100,
  zero: -32768,
  nan: 32766,
  infinite: 32767,
};

/** Columns of codes, each by measure and layer, as Python packs them. */
function columns(codes, from = 0, stride = 1) {
  const flat = codes.flat(2);
  const buffer = Buffer.alloc(2 * flat.length);
  for (const [at, code] of flat.entries()) buffer.writeInt16LE(code, 2 * at);
  const loss = codes.map((_, at) => 1 / (from + at + 1));
  return { stride, from, codes: buffer.toString("base64"), loss, accuracy: codes.map(() => 0.5) };
}

const FIRST = [
  [
    [-100, -200],
    [0, 100],
    [-700, -300],
  ],
];
const SECOND = [
  [
    [-32768, 32766],
    [32767, 50],
    [-250, -350],
  ],
];
const part = (name, codes, facts = {}) => ({
  name,
  layers: ["near", "far"],
  every: 1,
  total: 3,
  metric: "binary_accuracy",
  steps: codes.length,
  bad: null,
  whole: columns(codes),
  opening: columns(codes.slice(0, 2)),
  ...facts,
});

test("each of Python's measures has a title", () => {
  assert.deepEqual(Object.keys(recording.TITLES), recording.MEASURES);
});

test("codes are decades, with codes of their own for zero and what is not finite", () => {
  assert.deepEqual(
    [-250, -32768, 32766, 32767].map((code) => decadesOf(code, SCALE)),
    [-2.5, -Infinity, null, null],
  );
});

test("a strip takes columns as they come, and the last one anew", () => {
  const strip = new Strip(4, 2, SCALE);
  strip.take(columns(FIRST));
  assert.deepEqual(strip.column(0, "gradient_norm"), [-1, -2]);
  assert.deepEqual(strip.column(0, "update_ratio"), [-7, -3]);
  strip.take(columns([...SECOND, ...FIRST]));
  assert.equal(strip.columns, 2);
  assert.deepEqual(strip.column(0, "weight_norm"), [null, 0.5]);
  strip.take(columns(SECOND, 1));
  assert.deepEqual(
    [strip.column(1, "gradient_norm"), strip.loss],
    [
      [-Infinity, null],
      [1, 1 / 2],
    ],
  );
});

test("a message whose forerunner is missing is passed over; a whole one is not", () => {
  const strip = new Strip(4, 2, SCALE);
  strip.take(columns(FIRST));
  strip.take(columns(SECOND, 2)); // a hole
  strip.take(columns(SECOND, 1, 2)); // another stride
  assert.deepEqual([strip.columns, strip.stride], [1, 1]);
  strip.take(columns([...SECOND, ...FIRST], 0, 2));
  assert.deepEqual([strip.columns, strip.stride], [2, 2]);
});

test("a step has its column, and a picture room for the steps that are planned", () => {
  const run = new Run(part("one", [...FIRST, ...SECOND], { every: 5, total: 12 }), SCALE);
  assert.equal(run.width(run.whole), 5);
  assert.deepEqual(
    [0, 4.9, 5, 99].map((step) => run.columnOf(run.whole, step)),
    [0, 0, 1, 1],
  );
  assert.deepEqual([run.extent(run.whole), run.extent(run.opening)], [12, 10]);
  run.take(part("one", FIRST, { every: 5, total: null }));
  assert.equal(run.extent(run.whole), 20);
});

test("a training knows its runs by name, and how far they reach", () => {
  const training = new Training(SCALE);
  assert.deepEqual(training.span(false), { shown: [], step: 1, last: 0, extent: 1 });
  training.take([part("one", FIRST), part("other", [...FIRST, ...SECOND], { every: 2 })]);
  training.take([part("one", [...FIRST, ...SECOND])]);
  assert.deepEqual(
    training.runs.map(({ facts }) => facts.name),
    ["one", "other"],
  );
  const { shown, step, last, extent } = training.span(false);
  assert.deepEqual([shown[0].strip.columns, step, last, extent], [2, 2, 2, 3]);
  training.clear();
  assert.deepEqual(training.runs, []);
});

test("words say what the picture shows", () => {
  const run = new Run(part("one", [...FIRST, ...SECOND]), SCALE);
  const shown = { run, strip: run.whole };
  assert.equal(
    words.describe(shown, 0, "gradient_norm"),
    "loss 1, binary accuracy 0.5. Gradient norm from 1.0e-2 (far) to 1.0e-1 (near). " +
      "1 of 2 layers frozen: relative update under 1e-6.",
  );
  run.take({
    ...part("one", [...FIRST, ...SECOND]),
    metric: null,
    bad: { layer: "far", step: 1, what: "NaN", where: "gradient" },
  });
  assert.equal(
    words.describe(shown, 1, "gradient_norm"),
    "loss 0.5. Gradient norm from 0 (near) to 0 (near). NaN or infinite in 1 of 2 layers. " +
      "First NaN gradient: far, step 1.",
  );
});

test("the time that is left is in the unit that fits", () => {
  const left = [null, 0, 89, 90, 5399, 5400].map(words.timeLeft);
  assert.deepEqual(left, [
    "",
    "; about 1 s left",
    "; about 89 s left",
    "; about 2 min left",
    "; about 90 min left",
    "; about 2 h left",
  ]);
});

test("the median counts what is not finite as the largest", () => {
  assert.equal(words.median([-1, -3, -2]), -2);
  assert.equal(words.median([null, -3, null]), null);
  assert.equal(words.median([-Infinity, -5, null]), -5);
});

test("each state has its words", () => {
  const run = new Run(part("one", FIRST), SCALE);
  const said = (state, left = null) => words.stateWords({ state, left }, [run], true);
  assert.equal(said("training", 30), "Training, step 1 of 3; about 30 s left.");
  assert.equal(said("ready"), "A recorded training of 1 steps.");
  assert.equal(words.stateWords({ state: "ready", left: null }, [], false), "Ready.");
  assert.match(words.absence(true, true), /does not answer any more/);
  assert.match(words.absence(false, true), /this training was recorded/);
  assert.match(words.absence(false, false), /run this cell/);
});

/** A model that hands events on. */
function modelOf(traits) {
  const listeners = new Map();
  const sent = [];
  return {
    sent,
    get: (name) => traits[name],
    send: (content) => sent.push(content),
    on: (event, act) => listeners.set(event, act),
    off: (event, act) => listeners.get(event) === act && listeners.delete(event),
    tell: (event, said) => listeners.get(event)?.(said),
    listeners,
  };
}

beforeEach(() => mock.timers.reset());

test("a recorded training and a live one end in the same hands", () => {
  const model = modelOf({ runs: ["recorded"] });
  const taken = [];
  const take = (runs) => taken.push(...runs);
  const sources = [new RecordedSource(model, take), new KernelSource(model, () => {}, take)];
  for (const source of sources) source.start();
  model.tell("msg:custom", {
    state: "finished",
    training: 1,
    left: null,
    error: "",
    runs: ["live"],
  });
  model.tell("change:runs");
  assert.deepEqual(taken, ["recorded", "live", "recorded"]);
  for (const source of sources) source.stop();
  assert.equal(model.listeners.size, 0);
});

test("a kernel that trains in silence is asked, and is lost if it stays silent", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const model = modelOf({});
  const taken = [];
  const kernel = new KernelSource(
    model,
    () => {},
    (runs) => taken.push(runs.length),
  );
  kernel.start();
  assert.deepEqual([model.sent, kernel.here], [["hello"], false]);
  const said = { state: "training", training: 1, left: 5, error: "", runs: [] };
  model.tell("msg:custom", said);
  assert.deepEqual([kernel.here, kernel.live], [true, true]);
  mock.timers.tick(SILENCE);
  assert.deepEqual([model.sent, kernel.lost], [["hello", "hello"], false]);
  model.tell("msg:custom", said); // it was only busy
  mock.timers.tick(SILENCE);
  mock.timers.tick(SILENCE);
  assert.deepEqual([kernel.here, kernel.lost, kernel.live, taken.length], [false, true, false, 3]);
});

test("a kernel that holds, or is done, may be silent", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const model = modelOf({});
  const kernel = new KernelSource(
    model,
    () => {},
    () => {},
  );
  kernel.start();
  for (const state of ["paused", "finished"]) {
    model.tell("msg:custom", { state, training: 1, left: null, error: "", runs: [] });
    for (let count = 0; count < 3; count++) mock.timers.tick(SILENCE);
    assert.equal(kernel.lost, false);
  }
  kernel.wish("resume"); // a command is an expectation
  mock.timers.tick(SILENCE);
  mock.timers.tick(SILENCE);
  assert.equal(kernel.lost, true);
});

test("a replay plays to the end in ten seconds, and begins again from there", () => {
  mock.timers.enable({ apis: ["setInterval"] });
  const playing = [];
  const replay = new Replay((plays) => playing.push(plays));
  replay.turn({ last: 80, extent: 100 });
  mock.timers.tick(4000);
  assert.ok(Math.abs(replay.at - 40) < 1e-6);
  mock.timers.tick(10_000);
  assert.deepEqual([replay.at, playing.at(-1)], [80, false]);
  replay.turn({ last: 80, extent: 100 });
  mock.timers.tick(100);
  assert.equal(replay.at, 1);
  replay.turn({ last: 80, extent: 100 }); // halts
  mock.timers.tick(1000);
  assert.equal(replay.at, 1);
  replay.moveTo(null);
  assert.equal(replay.at, null);
});
