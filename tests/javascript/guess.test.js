// Guesses: their curves, their files, their keys, and what is said of them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { explorer } from "../../resnet_lesson/widgets/chart/constants.js";
import * as guess from "../../resnet_lesson/widgets/explorer/guess.js";
import {
  guessText,
  readGuess,
  readGuesses,
} from "../../resnet_lesson/widgets/explorer/guess_file.js";
import { byKey } from "../../resnet_lesson/widgets/explorer/handles.js";
import { classWords, missWords, verdict } from "../../resnet_lesson/widgets/explorer/verdict.js";

const SETTING = { ...explorer.defaults, depth: 21 };
const FORWARD = { ...SETTING, quantity: "signal" };
const measured = { layers: [1, 11, 21], values: [-12, -6, 0] };

test("a guess begins where the measured curve does, and ends as many decades away", () => {
  const back = guess.guessCurve(
    { end: -5, bend: 0 },
    { layers: [1, 21], values: [-9, 2] },
    SETTING,
  );
  assert.deepEqual([back.layers[0], back.layers.at(-1)], [1, 21]);
  assert.deepEqual([back.values[0], back.values.at(-1)], [-3, 2]);
  const on = guess.guessCurve({ end: -5, bend: 0 }, { layers: [1, 21], values: [-9, 2] }, FORWARD);
  assert.deepEqual([on.values[0], on.values.at(-1)], [-9, -14]);
});

test("the bend is half-way above the straight line", () => {
  assert.equal(guess.guessedAt({ end: -8, bend: 3 }, 0.5), -4 + 3);
  assert.deepEqual(
    [0, 1].map((t) => guess.guessedAt({ end: -8, bend: 3 }, t)),
    [0, -8],
  );
  assert.deepEqual([guess.layerAt(0, SETTING), guess.layerAt(1, SETTING)], [21, 1]);
  assert.deepEqual([guess.layerAt(0, FORWARD), guess.layerAt(0.5, FORWARD)], [1, 11]);
});

test("zero counts as the smallest number of 32 bits; what overflows, as nothing", () => {
  const { start, points } = guess.measured(
    { layers: [1, 11, 21], values: ["zero", "infinite", 1] },
    SETTING,
  );
  assert.equal(start, 1);
  assert.deepEqual(points, [
    { t: 0, fallen: 0 },
    { t: 0.5, fallen: null },
    { t: 1, fallen: -46 },
  ]);
});

test("a guess is of its network, whatever its weights", () => {
  const made = guess.stamped({ end: -3, bend: 1 }, SETTING);
  assert.equal("seed" in made.setting, false);
  assert.ok(guess.isOf(made, { ...SETTING, seed: 5 }));
  assert.ok(!guess.isOf(made, { ...SETTING, depth: 22 }));
  assert.ok(!guess.isOf({}, SETTING));
});

test("a saved guess is read as it was; anything else is refused with the reason", async () => {
  const made = guess.stamped({ end: -3.5, bend: 1 }, SETTING);
  assert.deepEqual(readGuess(guessText(made)), made);
  const { setting: _, ...without } = JSON.parse(guessText(made));
  for (const [text, reason] of [
    ["{", /^is not JSON$/],
    ["null", /^is no saved guess: "file" must be "resnet-lesson guess"$/],
    [JSON.stringify({ ...made, file: "resnet-lesson training" }), /^is no saved guess/],
    [JSON.stringify(without), /^must hold end and bend, of .* setting with .* depth, quantity$/],
    [guessText({ ...made, end: null }), /^must hold end/],
    [guessText({ ...made, end: 1e308 }), /of at most 1000 decades/],
    [guessText({ ...made, setting: { ...made.setting, depth: "x" } }), /^must hold end/],
    [guessText({ ...made, setting: { ...made.setting, kind: "cube" } }), /^must hold end/],
    [guessText({ ...made, setting: "dense" }), /^must hold end/],
    [guessText({ ...made, setting: 5, end: null }), /^must hold end/],
  ]) {
    assert.throws(() => readGuess(text), { message: reason });
  }
  const files = [
    ["a.json", guessText(made)],
    ["b.json", "[]"],
  ];
  const read = await readGuesses(files.map(([name, text]) => ({ name, text: async () => text })));
  assert.deepEqual(read.guesses, [made]);
  assert.match(read.refused.join(), /^b\.json is no saved guess.*\.$/);
});

test("keys move a handle as they move any slider", () => {
  const moved = ["ArrowUp", "ArrowLeft", "PageUp", "Home", "End"].map((key) => byKey(key, -2));
  assert.deepEqual(moved, [-1.5, -2.5, 3, -45, 45]);
  assert.equal(byKey("Tab", -2), undefined);
});

test("handles say in words what they show", () => {
  assert.equal(guess.handleWords("end", -4), "10⁻⁴ of");
  assert.equal(guess.handleWords("end", -0.5), "32 % of");
  assert.equal(guess.handleWords("end", 0), "as large as where it sets out");
  assert.equal(guess.handleWords("bend", 0.5), "0.5 powers of ten above the straight line");
  assert.equal(guess.handleWords("bend", 0), "straight");
});

test("the guess is said in words and numbers while it is dragged", () => {
  const said = (end, bend, setting) => guess.guessWords({ end, bend }, setting);
  assert.equal(
    said(-0.7, 0, SETTING),
    "Your guess: the first layer gets 20 % of what the last one has.",
  );
  assert.match(
    said(2, -1, FORWARD),
    /the last layer gets 100 times what the first .* bends down\.$/,
  );
  assert.match(said(0, 0, SETTING), /gets as much as the last/);
});

test("the axis of a guess is the one that its network needs", () => {
  assert.deepEqual(guess.guessAxis({ depth: 20 }), [-15, 5]);
  assert.deepEqual(guess.guessAxis({ depth: 50 }), [-40, 10]);
  assert.deepEqual(guess.guessAxis({ depth: 200 }), [-45, 20]);
});

test("the miss is named as a factor, the belief behind it where it is over ten", () => {
  const right = { end: -12, bend: 0 };
  assert.equal(missWords(right, measured, SETTING), "no miss");
  assert.equal(verdict(right, measured, SETTING), "Your guess is within a factor of ten.");
  const small = { end: -1, bend: 0 };
  assert.equal(missWords(small, measured, SETTING), "a factor of 10¹¹ off");
  assert.match(verdict(small, measured, SETTING), /20 shares are multiplied/);
  const gone = { layers: [1, 21], values: ["zero", 0] };
  assert.equal(missWords({ end: -20, bend: 0 }, gone, SETTING), "at least a factor of 10²⁵ off");
  assert.match(verdict({ end: -20, bend: 0 }, gone, SETTING), /In 32 bits it cannot/);
  const over = { layers: [1, 21], values: ["infinite", 0] };
  assert.equal(missWords({ end: 0, bend: 0 }, over, SETTING), "what was measured overflows");
  assert.equal(verdict({ end: 0, bend: 0 }, over, SETTING), "");
  assert.match(verdict({ end: -12, bend: 4 }, measured, SETTING), /the same share/);
});

test("a class is summed up by its least, its most and its median", () => {
  const of = (end, depth = 21) => guess.stamped({ end, bend: 0 }, { ...SETTING, depth });
  const said = classWords([of(-2), of(-8), of(-3), of(-4), of(-40, 9)], measured, SETTING);
  assert.equal(
    said,
    "4 opened guesses of what the first layer gets: from 10⁻⁸ to 1 %, the median 10⁻³; " +
      "measured: 10⁻¹². 1 more is of other networks.",
  );
  const none = classWords([of(-1, 9), of(-2, 9)], measured, SETTING);
  assert.match(none, /^None of the 2 .*They are of: 9 sigmoid layers, Glorot's weights\.$/);
});
