// What needs no page of the drawing: paths, shades, colours, frames.

import assert from "node:assert/strict";
import { test } from "node:test";
import { frameOf } from "../../resnet_lesson/widgets/chart/axes.js";
import { colourOf, fromHex, ODD, ZERO } from "../../resnet_lesson/widgets/chart/colour.js";
import * as curve from "../../resnet_lesson/widgets/chart/curve.js";
import { domainOf } from "../../resnet_lesson/widgets/chart/heatmap.js";
import { fillOf, STRIP_ENDS } from "../../resnet_lesson/widgets/chart/strip.js";
import {
  apart,
  byLayer,
  endText,
  frameFor,
  grown,
  powerTicks,
} from "../../resnet_lesson/widgets/explorer/picture.js";

test("a line is lifted where a point is missing", () => {
  const path = curve.linePath([[0, 1], [2, 3.26], null, [4, 5], [6, 7]]);
  assert.equal(path, "M0.0 1.0L2.0 3.3M4.0 5.0L6.0 7.0");
  assert.equal(curve.linePath([null, null]), "");
});

test("a triangle points out of the frame, at its foot or its head", () => {
  const numbers = (path) => path.match(/[-\d.]+/g).map(Number);
  const frame = { top: 10, bottom: 100 };
  const [, base, , x, tip] = numbers(curve.trianglePath(50, frame, true, 6));
  assert.deepEqual([base, x, tip], [93, 50, 99]);
  const [, low, , , high] = numbers(curve.trianglePath(50, frame, false, 6));
  assert.deepEqual([low, high], [17, 11]);
});

test("a strip has one scale: equal values have equal colours, whatever stands beside them", () => {
  const [low, high] = STRIP_ENDS;
  const rgb = (colour) => `rgb(${colour.join(" ")})`;
  assert.equal(fillOf(low - 13), fillOf(low));
  assert.equal(fillOf(high + 7), fillOf(high));
  assert.equal(fillOf(high), rgb(colourOf(high, STRIP_ENDS)));
  const fills = [-33, -7.5, -3, 0, 5].map(fillOf);
  assert.equal(new Set(fills).size, 5); // what falls by 7 decades is not what falls by 33
  assert.deepEqual(["zero", "infinite"].map(fillOf), ["none", rgb(ODD)]);
});

test("layers that a curve leaves out have the value of the one before", () => {
  const kept = { layers: [1, 3, 6], values: [-1, "zero", 2] };
  assert.deepEqual(byLayer(kept, 6), [-1, -1, "zero", "zero", "zero", 2]);
  assert.deepEqual(byLayer({ layers: [1], values: [4] }, 1), [4]);
});

test("colours rise in lightness, and what has no decade has a colour of its own", () => {
  const ends = [-8, 2];
  const luminance = ([red, green, blue]) => 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  const lights = Array.from({ length: 41 }, (_, at) => luminance(colourOf(-8 + at / 4, ends)));
  for (let at = 1; at < lights.length; at++) assert.ok(lights[at] > lights[at - 1]);
  assert.deepEqual(colourOf(-8, ends), [68, 1, 84]);
  assert.deepEqual(colourOf(2, ends), [253, 231, 37]);
  assert.deepEqual(
    [colourOf(-99, ends), colourOf(99, ends)],
    [
      [68, 1, 84],
      [253, 231, 37],
    ],
  );
  assert.deepEqual([colourOf(-Infinity, ends), colourOf(null, ends)], [ZERO, ODD]);
  assert.deepEqual(fromHex("#0a10ff"), [10, 16, 255]);
});

test("colours span whole decades, and know of what lies beyond and of what has none", () => {
  const [within, none] = [
    { less: false, more: false },
    { zero: false, odd: false },
  ];
  assert.deepEqual(domainOf([-3, 0.2, -2]), { ends: [-3, 1], ...within, ...none });
  assert.deepEqual(domainOf([2, 2, null]), { ends: [2, 3], ...within, zero: false, odd: true });
  assert.deepEqual(domainOf([-Infinity]), { ends: [0, 1], ...within, zero: true, odd: false });
  // One spike in hundreds of values takes no colour from the others.
  const many = Array.from({ length: 400 }, (_, at) => -1 - at / 400);
  assert.deepEqual(domainOf([...many, 9]), { ends: [-2, -1], less: false, more: true, ...none });
});

test("a frame leads from numbers to places and back", () => {
  const margins = { left: 40, right: 10, top: 5, bottom: 15 };
  const { left, right, top, bottom, x, y, valueAt } = frameOf(
    { width: 200, height: 100 },
    margins,
    [0, 50],
    [-2, 2],
  );
  assert.deepEqual([left, right, top, bottom], [40, 190, 5, 85]);
  assert.deepEqual([x(0), x(50), y(-2), y(2), y(0)], [40, 190, 85, 5, 45]);
  assert.equal(valueAt(y(1.5)), 1.5);
});

test("the axis grows in steps of ten decades where a curve leaves it, and never shrinks", () => {
  const of = (...values) => [{ layers: [1], values }];
  assert.deepEqual(grown([-10, 1], of(-3, 0, "zero")), [-10, 1]);
  assert.deepEqual(grown([-10, 1], of(-10.5)), [-20, 1]);
  assert.deepEqual(grown([-40, 1], of(-3, 3.2)), [-40, 10]);
  assert.deepEqual(grown([-10, 1], []), [-10, 1]);
});

test("an axis has at most seven powers, at round exponents, and 1 among them", () => {
  for (const ends of [
    [-10, 1],
    [-35, 20],
    [-45, 1],
    [-15, 5],
    [-5, 5],
  ]) {
    const marks = powerTicks(ends);
    assert.ok(marks.length <= 7 && marks.length > 1, `${ends}: ${marks}`);
    assert.ok(marks.includes(0));
    assert.ok(marks[0] >= ends[0] && marks.at(-1) <= ends[1]);
  }
  assert.deepEqual(powerTicks([-35, 20]), [-30, -20, -10, 0, 10, 20]);
});

test("each layer has a cell of the frame, and stands in its middle", () => {
  const { x, left, right, ends } = frameFor(640, 4, [-10, 1]);
  assert.deepEqual(ends, [-10, 1]);
  assert.ok(Math.abs(x(1) - left - (right - left) / 8) < 1e-9);
  assert.ok(Math.abs(right - x(4) - (right - left) / 8) < 1e-9);
});

test("names keep their order and a line's distance, and stay within the frame", () => {
  const labels = [98, 20, 21, 99, 97].map((wanted) => ({ wanted, lines: 1 }));
  const places = apart(labels, [0, 100]);
  assert.deepEqual(places, [85, 20, 35, 100, 70]);
  const two = apart(
    [
      { wanted: 50, lines: 2 },
      { wanted: 55, lines: 1 },
    ],
    [0, 100],
  );
  assert.deepEqual(two, [50, 80]);
});

test("a value at a curve's end is a number that one can read", () => {
  assert.deepEqual([-33.2, -1.3, 0, 2.1, 17.04, "zero", "infinite"].map(endText), [
    "10⁻³³",
    "0.05",
    "1",
    "130",
    "10¹⁷",
    "exactly 0",
    "overflows",
  ]);
});
