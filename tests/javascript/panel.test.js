// A training's recording: decoding, words, who it comes from, and its replay.

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import * as names from "../../resnet_lesson/widgets/panel/names.js";
import * as recording from "../../resnet_lesson/widgets/panel/recording.js";
import { Replay } from "../../resnet_lesson/widgets/panel/replay.js";
import { layerAt, placeOf, rowsOf, stagesOf } from "../../resnet_lesson/widgets/panel/rows.js";
import {
  KernelSource,
  RecordedSource,
  SILENCE,
  SOON,
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
    [0, 1, 5, 6, 99].map((step) => run.columnOf(run.whole, step)),
    [0, 0, 0, 1, 1],
  );
  assert.deepEqual([run.planned(run.whole), run.planned(run.opening)], [12, 10]);
  run.take(part("one", FIRST, { every: 5, total: null }));
  assert.equal(run.planned(run.whole), 20);
});

test("the last step is the last one that was taken, not where its column begins", () => {
  const whole = { ...columns([...FIRST, ...SECOND, ...FIRST]), stride: 2 };
  const run = new Run(part("one", FIRST, { steps: 5, total: 5, whole }), SCALE);
  assert.equal(run.last(run.whole), 5);
  assert.equal(run.columnOf(run.whole, 5), 2);
  assert.equal(run.last(run.opening), 1);
});

test("a training knows its runs by name, and how far they reach", () => {
  const training = new Training(SCALE);
  assert.deepEqual(training.span(false), { shown: [], last: 0, extent: 1 });
  training.take([part("one", FIRST), part("other", [...FIRST, ...SECOND], { every: 2 })]);
  training.take([part("one", [...FIRST, ...SECOND])]);
  assert.deepEqual(
    training.runs.map(({ facts }) => facts.name),
    ["one", "other"],
  );
  const { shown, last, extent } = training.span(false);
  assert.deepEqual([shown[0].strip.columns, last, extent], [2, 2, 2]);
  training.clear();
  assert.deepEqual(training.runs, []);
});

/** A run whose loss goes by these numbers, with the columns of FIRST. */
function runOf(name, losses, facts = {}) {
  const codes = losses.map(() => FIRST[0]);
  const whole = { ...columns(codes), loss: losses };
  const run = new Run(part(name, codes, { total: 4, whole, ...facts }), SCALE);
  return { run, strip: run.whole };
}

test("a training has one axis from its first step, and at its end that of what it took", () => {
  const training = new Training(SCALE);
  training.take([part("one", FIRST, { total: 240 })]); // more than its columns hold
  const extents = () => [false, true].map((zoom) => training.span(zoom, true).extent);
  const first = extents();
  assert.deepEqual(first, [240, 2]);
  training.take([part("one", [...FIRST, ...SECOND], { total: 240 })]);
  assert.deepEqual(extents(), first);
  assert.equal(training.span(false).extent, 2);
});

test("the sentence says how far each has come, and what its measure is", () => {
  const plain = runOf("plain", [2, 2, 1.9]);
  const other = runOf("other", [2, 1, 0.1]);
  const { seen, more } = words.sentence([plain, other], 3, "gradient_norm");
  assert.equal(
    seen,
    "At step 3 the plain network has hardly begun to learn; other has learnt most of the task.",
  );
  assert.equal(
    more,
    "Compared with the last layer’s, the first layer’s gradient is 10 times as large in the " +
      "plain network, 10 times as large in other.",
  );
  assert.match(
    words.sentence([plain, other], 1, "weight_norm").seen,
    /^At step 1 both networks have/,
  );
  assert.match(
    words.sentence([other], 2, "weight_norm").more,
    /first layer’s weights are as large\.$/,
  );
  assert.equal(
    words.sentence([other], 1, "update_ratio").more,
    "The middle layer changes by 1.0 × 10⁻³ (1 of 2 layers by less than 10⁻⁶); " +
      "10⁻³ of its size is usual.",
  );
});

test("a loss that is lost is said, and where it began", () => {
  const bad = { layer: "far", step: 1, what: "NaN", where: "gradient" };
  const { seen, more } = words.sentence([runOf("one", [2, null], { bad })], 2, "gradient_norm");
  assert.equal(seen, "At step 2 one has a loss that is not finite.");
  assert.match(more, /^First NaN gradient: far, step 2\. Compared/);
  const grown = words.sentence([runOf("one", [-1, -2])], 2, "gradient_norm");
  assert.match(grown.seen, /one has a loss of -2/);
});

test("a cell says its layer, its steps and its value; a map its first and last layer", () => {
  const { run, strip } = runOf("one", [2, 1], { every: 5, steps: 8, layers: ["near_by", "far"] });
  assert.deepEqual(words.cellWords({ run, strip }, 1, 0, "gradient_norm"), [
    "near by",
    "steps 6 to 8: 0.1",
  ]);
  assert.match(
    words.describe({ run, strip }, 8, "gradient_norm"),
    /^one, step 8: loss 1; binary accuracy 0.5; first layer 0.1, last layer 0.01;/,
  );
});

test("numbers are written as one reads them", () => {
  const said = [null, -Infinity, -3.5, -2, 0, Math.log10(2.5), 3, 4, -2.0001].map(words.size);
  assert.deepEqual(said, [
    "not finite",
    "0",
    "3.2 × 10⁻⁴",
    "0.01",
    "1",
    "2.5",
    "1000",
    "1.0 × 10⁴",
    "1.0 × 10⁻²",
  ]);
});

test("orange is plain and blue residual, and others are neither", () => {
  assert.deepEqual(names.looks(["residual", "plain"]), ["residual", "plain"]);
  assert.deepEqual(names.looks(["mine", "plain"]), ["first", "plain"]);
  assert.deepEqual(names.looks(["a", "b"]), ["first", "second"]);
  assert.deepEqual(["plain", "a"].map(names.called), ["the plain network", "a"]);
  assert.deepEqual(
    ["short", "much too long"].map((name) => names.cut(name, 8)),
    ["short", "much to…"],
  );
});

test("stages of two networks stand at one height, though one has more layers", () => {
  const plain = ["stem", "stage1_a", "stage1_b", "stage2_a", "stage2_b", "classifier"];
  const residual = [...plain.slice(0, 4), "stage2_c", ...plain.slice(4)];
  const stages = stagesOf([plain, residual]);
  assert.deepEqual(
    stages.map(({ name, top, rows }) => [name, top, rows]),
    [
      ["", 0, 1],
      ["stage 1", 1, 2],
      ["stage 2", 3, 3],
      ["", 6, 1],
    ],
  );
  assert.equal(rowsOf(stages), 7);
  const heights = [0, 2.9, 3, 4.6, 6.5];
  assert.deepEqual(
    heights.map((height) => layerAt(stages, 0, height)),
    [0, 2, 3, 4, 5],
  );
  assert.deepEqual(
    heights.map((height) => layerAt(stages, 1, height)),
    [0, 2, 3, 4, 6],
  );
});

test("a layer stands where the height of its middle finds it", () => {
  const plain = ["stem", "stage1_a", "stage1_b", "classifier"];
  const residual = ["stem", "stage1_a", "stage1_b", "stage1_c", "classifier"];
  const stages = stagesOf([plain, residual]);
  for (const [which, layers] of [plain, residual].entries()) {
    for (const layer of layers.keys()) {
      const { top, bottom } = placeOf(stages, which, layer);
      assert.equal(layerAt(stages, which, (top + bottom) / 2), layer);
    }
  }
});

test("networks without common stages are one each", () => {
  const stages = stagesOf([
    ["dense", "dense_1"],
    ["stage1_a", "stage1_b", "out"],
  ]);
  assert.deepEqual(
    stages.map(({ name, rows }) => [name, rows]),
    [["", 3]],
  );
  assert.deepEqual(stagesOf([[], []]), []);
  assert.equal(rowsOf(stagesOf([["dense"], []])), 1);
});

test("the time that is left is in the unit that fits", () => {
  const left = [null, 0, 89, 90, 5399, 5400].map(words.timeLeft);
  assert.deepEqual(left, [
    "",
    ", about 1 s left",
    ", about 89 s left",
    ", about 2 min left",
    ", about 90 min left",
    ", about 2 h left",
  ]);
});

test("the median counts what is not finite as the largest", () => {
  assert.equal(words.median([-1, -3, -2]), -2);
  assert.equal(words.median([null, -3, null]), null);
  assert.equal(words.median([-Infinity, -5, null]), -5);
});

test("each state has its words", () => {
  const kernel = { here: true, lost: false, status: "", said: { state: "ready" } };
  const said = (change, last = 0) => words.note({ ...kernel, ...change }, false, last);
  assert.equal(said({}), "Nothing is trained yet.");
  assert.equal(said({}, 8), "A recorded training of 8 steps.");
  assert.equal(said({ said: { state: "finished" } }, 240), "Finished after 240 steps.");
  assert.match(said({ here: false }), /run this cell to train/);
  assert.match(said({ here: false }, 8), /this is a recorded training/);
  assert.match(said({ here: false, lost: true }, 8), /kernel has gone.*run this cell again/);
  assert.match(said({ late: true, status: "busy" }), /runs a cell/);
  assert.match(said({ late: true, status: "idle" }), /what you pressed waits/);
  assert.match(said({ silent: true }), /No word.*busy/);
  for (const silent of [false, true]) {
    const built = (state) => words.note({ ...kernel, silent, said: { state } }, true, 0);
    assert.match(built("building"), /10 seconds to a minute/);
    assert.match(built("pausing"), /holds as soon as the network is built/);
    assert.match(built("stopping"), /stops as soon as the network is built/);
  }
});

test("a hint names no button that is not there or would do nothing", () => {
  const controls = { mode: "live", obeys: true, state: "training", playing: false };
  const hint = (change, building = false, count = 2) =>
    words.hint({ ...controls, ...change }, building, count);
  assert.match(hint({ mode: "start" }), /whose loss will fall faster; then press Start/);
  assert.match(hint({ mode: "start" }, false, 1), /where the gradient will be largest; then press/);
  assert.match(hint({ mode: "start", obeys: false }), /then run this cell/);
  assert.match(hint({}), /press Pause/i);
  assert.match(hint({ state: "paused" }), /press Go on/);
  assert.match(hint({ mode: "replay" }), /press Play/);
  for (const [change, building] of [
    [{ state: "building" }, true],
    [{ state: "pausing" }, true],
    [{ state: "stopping" }, false],
    [{ mode: "replay", playing: true }, false],
  ]) {
    assert.doesNotMatch(hint(change, building), /press/i);
  }
});

test("the steps say where one looks, and how far the training is", () => {
  const steps = { step: 3, last: 31, planned: 240 };
  const said = (state, change = {}) =>
    words.stepWords({ state, left: 30 }, { ...steps, ...change }, null);
  const built = (state) => words.stepWords({ state, left: null }, steps, 12.4);
  for (const state of ["building", "pausing", "stopping"]) {
    assert.equal(built(state), "building, 12 s"); // one counter, whatever was pressed
  }
  assert.equal(built("paused"), "step 31 of 240");
  assert.equal(said("training"), "step 31 of 240, about 30 s left");
  assert.equal(said("training", { planned: null }), "step 31, about 30 s left");
  assert.equal(said("stopped"), "step 3 of 31");
  assert.equal(said("ready", { last: 0 }), "");
});

/** A model that hands events on, and its kernel's status. */
function modelOf(traits, status) {
  const listeners = new Map();
  const sent = [];
  const heard = new Set();
  const statusChanged = {
    connect: (act) => heard.add(act),
    disconnect: (act) => heard.delete(act),
  };
  const kernel = { status, statusChanged };
  return {
    sent,
    heard,
    widget_manager: status && { kernel },
    turn: (now) => {
      kernel.status = now;
      for (const act of heard) act(kernel, now);
    },
    get: (name) => traits[name],
    send: (content) => sent.push(content),
    on: (event, act) => listeners.set(event, act),
    off: (event, act) => listeners.get(event) === act && listeners.delete(event),
    tell: (event, said) => listeners.get(event)?.(said),
    listeners,
  };
}

const isAny = () => true;

beforeEach(() => mock.timers.reset());

test("a recorded training and a live one end in the same hands", () => {
  const model = modelOf({ runs: ["recorded"] });
  const taken = [];
  const take = (runs) => taken.push(...runs);
  const sources = [new RecordedSource(model, take), new KernelSource(model, isAny, () => {}, take)];
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

const message = (state, more = {}) => ({
  state,
  training: 1,
  left: null,
  error: "",
  runs: [],
  ...more,
});

/** A kernel, once it has said this. */
function kernelOf(model, state) {
  mock.timers.enable({ apis: ["setTimeout"] });
  const kernel = new KernelSource(
    model,
    isAny,
    () => {},
    () => {},
  );
  kernel.start();
  model.tell("msg:custom", message(state));
  return kernel;
}

test("a kernel that trains in silence is asked, and is lost if it stays silent", () => {
  const model = modelOf({});
  const kernel = kernelOf(model, "training");
  assert.deepEqual([model.sent, kernel.here, kernel.live], [["hello"], true, true]);
  mock.timers.tick(SILENCE);
  assert.deepEqual([model.sent, kernel.lost], [["hello", "hello"], false]);
  model.tell("msg:custom", message("training")); // it was only busy
  mock.timers.tick(SILENCE);
  mock.timers.tick(SILENCE);
  assert.deepEqual([kernel.here, kernel.lost, kernel.live], [false, true, false]);
});

test("a long build is not a lost kernel, nor is one whose front end calls it alive", () => {
  for (const [state, status] of [
    ["building", undefined],
    ["training", "busy"],
  ]) {
    mock.timers.reset();
    const model = modelOf({}, status);
    const kernel = kernelOf(model, state);
    mock.timers.tick(SILENCE);
    mock.timers.tick(SILENCE);
    assert.deepEqual([kernel.here, kernel.lost, kernel.silent], [true, false, true]);
    model.tell("msg:custom", message("training"));
    assert.equal(kernel.silent, false);
  }
});

test("a kernel that dies or starts anew is lost at once, where the front end tells", () => {
  for (const status of ["restarting", "autorestarting", "terminating", "dead"]) {
    mock.timers.reset();
    const model = modelOf({}, "idle");
    const kernel = kernelOf(model, "building");
    model.turn("busy");
    assert.equal(kernel.lost, false);
    model.turn(status);
    assert.deepEqual([kernel.here, kernel.lost, kernel.live], [false, true, false]);
    kernel.stop();
    assert.equal(model.heard.size, 0);
  }
});

test("a press that is not obeyed is late, though the training goes on to speak", () => {
  const model = modelOf({}, "busy");
  const kernel = kernelOf(model, "training");
  kernel.wish("pause");
  for (let time = 0; time < SOON; time += 100) {
    mock.timers.tick(100);
    model.tell("msg:custom", message("training"));
  }
  assert.equal(kernel.late, true);
  model.tell("msg:custom", message("pausing"));
  assert.equal(kernel.late, false);
  kernel.wish("stop");
  model.tell("msg:custom", message("stopped")); // as fast as that
  mock.timers.tick(SOON);
  assert.equal(kernel.late, false);
});

test("a kernel that holds, or is done, may be silent", () => {
  const model = modelOf({});
  const kernel = kernelOf(model, "paused");
  for (const state of ["paused", "finished"]) {
    model.tell("msg:custom", message(state));
    for (let count = 0; count < 3; count++) mock.timers.tick(SILENCE);
    assert.equal(kernel.lost, false);
  }
  kernel.wish("resume"); // a command is an expectation
  mock.timers.tick(SOON);
  assert.equal(kernel.late, true);
  mock.timers.tick(SILENCE);
  mock.timers.tick(SILENCE);
  assert.equal(kernel.lost, true);
});

test("a replay plays to the end in ten seconds, and begins again from there", () => {
  mock.timers.enable({ apis: ["setInterval"] });
  const replay = new Replay(() => {});
  replay.turn(100);
  mock.timers.tick(4000);
  assert.ok(Math.abs(replay.at - 40) < 1e-6);
  assert.equal(replay.playing, true);
  mock.timers.tick(10_000);
  assert.deepEqual([replay.at, replay.playing], [100, false]);
  replay.turn(100);
  mock.timers.tick(100);
  assert.equal(replay.at, 1);
  replay.turn(100); // halts
  mock.timers.tick(1000);
  assert.equal(replay.at, 1);
  replay.moveTo(null);
  assert.equal(replay.at, null);
});
