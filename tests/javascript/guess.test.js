// Guesses: their curves, their files, their keys, and what is said of them.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as guess from "../../resnet_lesson/widgets/explorer/guess.js";
import {
  guessText,
  readGuess,
  readGuesses,
} from "../../resnet_lesson/widgets/explorer/guess_file.js";
import { byKey } from "../../resnet_lesson/widgets/explorer/handles.js";
import { classWords, verdict } from "../../resnet_lesson/widgets/explorer/verdict.js";

const SETTING = {
  kind: "dense",
  order: "full_preactivation",
  activation: "sigmoid",
  initializer: "glorot",
  normalization: false,
  shortcut: false,
  depth: 21,
  quantity: "signal_gradient",
  seed: 0,
};
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
    [JSON.stringify(without), /^must hold end, bend and setting with kind, .*, depth, quantity$/],
    [guessText({ ...made, end: null }), /^must hold end/],
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
  assert.equal(guess.handleWords("end", -4), "4 decades smaller");
  assert.equal(guess.handleWords("end", 0), "as large as where it sets out");
  assert.equal(guess.handleWords("bend", 0.5), "0.5 decades above the straight line");
  assert.equal(guess.handleWords("bend", 0), "straight");
});

test("the verdict measures the miss, and names a belief where it is over a decade", () => {
  const right = verdict({ end: -12, bend: 0 }, measured, SETTING);
  const said = "Your guess is 0 decades off at the first layer, 0 on average. Within a decade.";
  assert.equal(right, said);
  assert.match(
    verdict({ end: -1, bend: 0 }, measured, SETTING),
    /11 decades off.*shares multiply: here 0\.25x/,
  );
  const gone = { layers: [1, 21], values: ["zero", 0] };
  assert.match(
    verdict({ end: -20, bend: 0 }, gone, SETTING),
    /at least 25 decades.*In 32 bits it cannot/,
  );
  const over = { layers: [1, 21], values: ["infinite", 0] };
  assert.match(verdict({ end: 0, bend: 0 }, over, SETTING), /overflows at the first layer/);
  assert.match(verdict({ end: -12, bend: 4 }, measured, SETTING), /the same share/);
});

test("a class is summed up by its least, its most and its median", () => {
  const of = (end, depth = 21) => guess.stamped({ end, bend: 0 }, { ...SETTING, depth });
  const said = classWords([of(-2), of(-8), of(-3), of(-4), of(-40, 9)], measured, SETTING);
  assert.match(
    said,
    /^4 opened guesses: at the first layer from 1e-8 to 1e-2 .* 1e-3\.5; measured, it is 1e-12\.$/,
  );
  const none = classWords([of(-1, 9), of(-2, 9)], measured, SETTING);
  assert.match(none, /^None of the 2 .*They are of: 9 sigmoid layers, glorot weights\.$/);
});
