// The race: its loop, its rate and its words.

import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Loop, STEPS } from "../../resnet_lesson/widgets/engine/loop.js";
import { BATCH, Racer, rateAt } from "../../resnet_lesson/widgets/engine/race.js";
import { averaged, finished, running } from "../../resnet_lesson/widgets/race/words.js";
import { part } from "./part.js";

const open = () => Racer.open(part("race.wasm"), part("digits"));
const racers = { plain: await open(), residual: await open() };
const SETTINGS = { run: 1, depth: 4, rate: 0.03, warmup: 0, seed: 0 };

/** A loop whose clock is the test's, and what it reports. */
function watched() {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  const reports = [];
  return { loop: new Loop(racers, (report) => reports.push(report)), reports };
}

const taken = (reports) => reports.reduce((sum, { plain }) => sum + plain.length, 0);

test("both take the same number of steps, and then stop", () => {
  const { loop, reports } = watched();
  loop.start(SETTINGS);
  for (let tick = 0; tick < STEPS; tick++) mock.timers.tick(100);
  assert.equal(taken(reports), STEPS);
  assert.ok(reports.every(({ plain, residual }) => plain.length === residual.length));
  const { wrong, norms } = reports.at(-1).residual.at(-1);
  assert.ok(Number.isInteger(wrong * BATCH) && wrong < 0.1);
  assert.equal(norms.length, SETTINGS.depth);
  loop.go();
  assert.equal(taken(reports), STEPS);
});

test("a pause holds it, and it goes on where it was", () => {
  const { loop, reports } = watched();
  loop.start(SETTINGS);
  loop.pause();
  const before = taken(reports);
  mock.timers.tick(1000);
  assert.equal(taken(reports), before);
  loop.go();
  loop.go(); // twice is not twice as fast
  mock.timers.tick(40);
  assert.equal(taken(reports), before + 15); // at once for each, and one report later
});

test("a new start is a new race, with the same draws for the same seed", () => {
  const first = (settings) => {
    const { loop, reports } = watched();
    loop.start(settings);
    loop.pause();
    return reports[0];
  };
  const one = first(SETTINGS);
  assert.deepEqual(first(SETTINGS), one);
  assert.notDeepEqual(first({ ...SETTINGS, seed: 1 }).plain, one.plain);
  assert.equal(first({ ...SETTINGS, run: 7 }).run, 7);
});

test("the rate rises evenly during the warm-up", () => {
  const rates = [0, 4, 9, 10, 500].map((step) => rateAt(0.1, 9, step));
  assert.deepEqual(
    rates.map((rate) => rate.toFixed(3)),
    ["0.010", "0.050", "0.100", "0.100", "0.100"],
  );
  assert.equal(rateAt(0.1, 0, 0), 0.1);
});

test("shares are averaged over an epoch", () => {
  const shares = [...Array(20).fill(1), ...Array(20).fill(0)];
  const curve = averaged(shares);
  assert.deepEqual([curve[0], curve[19], curve[29], curve[39]], [1, 1, 0.5, 0]);
});

test("what is said holds for what is shown", () => {
  assert.match(running(40, [0.5, 0.012]), /40 steps, .* 50 % .* one 1\.2 %/);
  assert.match(finished(30, [0.5, 0.01]), /fails on the very digits/);
  assert.match(finished(2, [0.01, 0.01]), /Both have learned\. Now try 30/);
  assert.equal(finished(40, [0.01, 0.01]), "Both have learned.");
  assert.match(finished(30, [0.9, 0.5]), /Neither/);
  assert.match(finished(20, [0.1, 0.01]), /residual network has learned.* More layers/);
  assert.doesNotMatch(finished(60, [0.1, 0.01]), /More layers/);
  assert.match(finished(30, [0.1, 0.1]), /not learned it well/);
});

test("at the first step the plain network's gradient is large near the input, as home says", () => {
  for (const seed of [0, 1, 2, 3, 4]) {
    const { loop, reports } = watched();
    loop.start({ ...SETTINGS, depth: 30, seed });
    mock.timers.tick(100);
    const norms = reports.flatMap(({ plain }) => plain)[0].norms;
    assert.ok(norms[0] > 10 * norms.at(-1), `${norms[0]} beside ${norms.at(-1)}`);
    loop.pause();
  }
});
