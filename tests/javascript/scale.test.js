// Scales, ticks and their texts.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as scale from "../../resnet_lesson/widgets/chart/scale.js";
import { short } from "../../resnet_lesson/widgets/chart/words.js";

/** Pairs of ends of all sizes, always the same ones. */
function* ranges() {
  let state = 1;
  const next = () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
  for (let count = 0; count < 300; count++) {
    const low = 60 * next() - 45;
    yield [low, low + 10 ** (4 * next() - 2)];
  }
}

test("a linear scale meets both ends, and its inverse leads back", () => {
  const y = scale.linear([-3, 5], [300, 20]);
  assert.deepEqual([y(-3), y(1), y(5)], [300, 160, 20]);
  const back = scale.linear([300, 20], [-3, 5]);
  for (const value of [-7, -3, 0.25, 9]) assert.ok(Math.abs(back(y(value)) - value) < 1e-12);
});

test("round ticks are few, inside, and multiples of 1, 2 or 5 times a power of ten", () => {
  for (const [low, high] of ranges()) {
    const ticks = scale.roundTicks([low, high], 5);
    assert.ok(ticks.length >= 2 && ticks.length <= 6, `${ticks}`);
    const step = ticks[1] - ticks[0];
    const leading = Number(step.toExponential(6).split("e")[0]);
    assert.ok(
      [1, 2, 5, 10].some((one) => Math.abs(leading - one) < 1e-3),
      `${step}`,
    );
    for (const tick of ticks) {
      assert.ok(tick >= low - 1e-3 * step && tick <= high + 1e-3 * step);
      assert.ok(Math.abs(tick / step - Math.round(tick / step)) < 1e-3);
    }
  }
  assert.deepEqual(scale.roundTicks([0, 1], 4), [0, 0.5, 1]);
  assert.deepEqual(scale.roundTicks([0, 0.3], 3), [0, 0.1, 0.2, 0.3]); // not 0.30000000000000004
});

test("decades within the ends are whole, at most as many as asked for", () => {
  for (const [low, high] of ranges()) {
    const ticks = scale.decadeTicks([low, high], 4);
    assert.ok(ticks.length <= 4);
    assert.ok(ticks.every((tick) => Number.isInteger(tick) && tick >= low && tick <= high));
    // None is left out where there is room for all.
    const whole = Math.max(0, Math.floor(high) - Math.ceil(low) + 1);
    if (whole <= 4) assert.equal(ticks.length, whole);
  }
});

/** What a text says: 0.2, 2e-7, or 10⁻¹². */
function said(text) {
  const raised = text.match(/^10(⁻?)([⁰¹²³⁴⁵⁶⁷⁸⁹]+)$/);
  if (!raised) return Number(text);
  const digits = [...raised[2]].map((one) => "⁰¹²³⁴⁵⁶⁷⁸⁹".indexOf(one));
  return Number(`1e${raised[1] && "-"}${digits.join("")}`);
}

test("a log axis has two marks or more, whose texts say where they are", () => {
  for (const [low, high] of ranges()) {
    const marks = scale.logMarks([low, high]);
    assert.ok(marks.length >= 2);
    for (const [place, text] of marks) {
      assert.ok(place >= low && place <= high);
      assert.ok(Math.abs(Math.log10(said(text)) - place) < 0.03, text);
    }
  }
});

test("numbers are written as short as they can be", () => {
  const texts = [-3, -2, 0, 3, 4, Math.log10(2.5)].map(scale.decadeText);
  assert.deepEqual(texts, ["10⁻³", "0.01", "1", "1000", "10⁴", "2.5"]);
  assert.deepEqual([short(-Infinity), short(-4.7), short(12)], ["0", "2.0e-5", "1.0e12"]);
});
